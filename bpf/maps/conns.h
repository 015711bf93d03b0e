/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Connection state behind one accessor, in two forms.
 *
 * Socket storage (TCP in sock.bpf.o): the kernel frees it with the socket; nothing has to be sized.
 * Preallocated hash keyed by the socket's address (everything in sock_hash.bpf.o; unix sockets in both, because no hook
 * sees their close): written by the socket hooks; deleted at tcp_destroy_sock, at a reused address with another inode,
 * and by the vor_sweep iterator that user space runs. Not LRU: an eviction could not be counted. Full is counted
 * (VOR_COUNT_STATE_FULL) and the connection stays unseen. User space may set other sizes before load: struct conn is
 * about 200 bytes, struct http1 about 4 KiB. */
#pragma once

#include "../include/state.h"
#include "counters.h"

#ifndef VOR_CONN_HASH
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct conn);
} vor_conns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct http1);
} vor_http1 SEC(".maps");

#define CONN_HASH_ENTRIES 4096
#define HTTP1_HASH_ENTRIES 1024
#else
#define CONN_HASH_ENTRIES 32768
#define HTTP1_HASH_ENTRIES 4096
#endif

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, CONN_HASH_ENTRIES);
	__type(key, __u64);
	__type(value, struct conn);
} vor_conn_hash SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HTTP1_HASH_ENTRIES);
	__type(key, __u64);
	__type(value, struct http1);
} vor_http1_hash SEC(".maps");

/* All zero, never written: the first value of a new hash entry. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct http1);
} vor_zero SEC(".maps");

INLINE bool storage_form(bool tcp)
{
#ifdef VOR_CONN_HASH
	return false;
#else
	return tcp;
#endif
}

INLINE void *hash_create(void *map, __u64 key)
{
	__u32 none = 0;
	void *zero = bpf_map_lookup_elem(&vor_zero, &none);
	if (!zero)
		return NULL;
	bpf_map_update_elem(map, &key, zero, BPF_NOEXIST);
	return bpf_map_lookup_elem(map, &key);
}

INLINE struct conn *conn_get(struct sock *sk, bool tcp)
{
#ifndef VOR_CONN_HASH
	if (storage_form(tcp))
		return bpf_sk_storage_get(&vor_conns, sk, NULL, 0);
#endif
	__u64 key = (__u64)sk;
	return bpf_map_lookup_elem(&vor_conn_hash, &key);
}

INLINE struct conn *conn_create(struct sock *sk, bool tcp)
{
#ifndef VOR_CONN_HASH
	if (storage_form(tcp))
		return bpf_sk_storage_get(&vor_conns, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
#endif
	return hash_create(&vor_conn_hash, (__u64)sk);
}

INLINE struct http1 *http1_get(struct sock *sk, bool tcp)
{
#ifndef VOR_CONN_HASH
	if (storage_form(tcp))
		return bpf_sk_storage_get(&vor_http1, sk, NULL, 0);
#endif
	__u64 key = (__u64)sk;
	return bpf_map_lookup_elem(&vor_http1_hash, &key);
}

INLINE struct http1 *http1_create(struct sock *sk, bool tcp)
{
#ifndef VOR_CONN_HASH
	if (storage_form(tcp))
		return bpf_sk_storage_get(&vor_http1, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
#endif
	return hash_create(&vor_http1_hash, (__u64)sk);
}

INLINE void http1_delete(struct sock *sk, bool tcp)
{
#ifndef VOR_CONN_HASH
	if (storage_form(tcp)) {
		bpf_sk_storage_delete(&vor_http1, sk);
		return;
	}
#endif
	__u64 key = (__u64)sk;
	bpf_map_delete_elem(&vor_http1_hash, &key);
}

INLINE void conn_delete(struct sock *sk, bool tcp)
{
	if (storage_form(tcp))
		return; /* freed with the socket */
	__u64 key = (__u64)sk;
	bpf_map_delete_elem(&vor_conn_hash, &key);
}
