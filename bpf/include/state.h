/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* What is remembered of a connection. Two levels: `struct conn` is small and exists for every stream socket that moves
 * bytes; `struct http1` is large and exists only once HTTP/1 was recognised. */
#pragma once

#include "common.h"

#define CLASSIFY_BYTES 16
/* Direction changes without a known message start before a connection is given up as unknown: 8 messages each way. */
#define CLASSIFY_TURNS 16
/* Operations looked at in one turn whose first bytes are too few to tell, or a PROXY header: else what follows in the same
 * direction is more of the same message. */
#define CLASSIFY_CALLS 16

enum conn_state {
	CONN_NEW = 0,        /* waiting for a message start we know */
	CONN_HTTP1 = 1,      /* struct http1 exists */
	CONN_IGNORED = 2,    /* classified as unreadable, or left HTTP/1 for good */
	CONN_REJECTED = 3,   /* the process is rejected; looked at again with the next generation */
};

/* Ids decided for a client request before its bytes left (tcp_sendmsg_locked). */
struct announced {
	__u8 trace_id[16];
	__u8 span_id[8];
	__u8 parent[8];
	__u32 seq;           /* TCP sequence number of the request's first byte */
	__u8 valid;
	__u8 published;
	__u8 evidence;
	__u8 absent;
	__u8 sampled;
	__u8 method;         /* enum vor_method; OTHER = not known */
	__u8 _pad[2];
	__u32 tid;           /* thread whose send it is */
	__u64 ns;            /* when, ~0 = no other time than the send's end */
};

/* In the order of cache lines: the kernel puts its eighth byte at the start of one (struct bpf_local_storage_data). On
 * loopback the other end's CPU comes here for sk_data_ready. */
struct conn {
	/* Read with every operation, seldom written. */
	__u64 inode;         /* socket inode: identity, and the check against a reused address in the hash form */
	__u32 generation;    /* of vor_selection_generation at the last verdict */
	__u32 tgid;          /* process the verdict is about */
	__u8 state;          /* enum conn_state */
	__u8 family;
	__u8 role;           /* enum vor_role */
	__u8 tcp;            /* TCP or MPTCP: has a close hook and may have socket storage */
	__u8 tcp_plain;      /* not MPTCP: sequence numbers mean what the join needs */
	__u8 selection;      /* VOR_PROCESS_NGINX or nothing, >> 8 */
	__u8 turns;
	__u8 calls;
	__u8 last_dir;       /* 1 + direction of the last operation, 0 = none */
	__u8 carry_length[2];
	__u8 preface;        /* this turn began with a PROXY header: a message may begin with any operation after it */
	__u8 _pad[12];
	__u32 start_seq[2];
	__u64 start_arrival; /* when that byte became readable (receive direction) */

	/* Written by sk_data_ready; the rest is over when the protocol is known. */
	__u64 arrival_ns;    /* when the byte arrival_seq became readable */
	__u32 arrival_seq;
	__u32 received_seq;  /* rcv_nxt at the last sk_data_ready */
	__u64 start_ns[2];   /* time of the operation that brought the first carried byte, by direction */
	char carry[2][CLASSIFY_BYTES];

	/* Written with every operation. */
	__u32 next_seq[2];   /* sequence number of the next byte each way, if none passes unseen; 0 = not known */
	__u32 first_seq[2];  /* where the first operation that way must begin or have begun; 0 = not known */
	__u32 handled[2];    /* thread whose operation has been handled just now, where no sequence number tells (vor_after_*) */
#ifdef VOR_COPIES
	__u8 taken[2];       /* operations taken by one of several equal programs, and how many they were when each looked last */
	__u8 looked[2][VOR_COPIES];
#endif
	__u16 multi[2];      /* next message of a recvmmsg, sendmmsg under way */
	__u32 answered_seq;  /* bytes sent when a response was read that no request is known for; 0 = none */
	struct announced announced;
};

_Static_assert(__builtin_offsetof(struct conn, arrival_ns) == 56 && __builtin_offsetof(struct conn, next_seq) == 120, "cache lines");

/* Parser state of one direction. Written only by the hook of that direction. */
enum half_state {
	HALF_FIRST_LINE = 0, /* before or in a request or status line */
	HALF_HEADERS = 1,
	HALF_LENGTH = 2,     /* `left` body bytes to come */
	HALF_CHUNK_SIZE = 3, /* hex digits of a chunk size; `left` is what they gave so far */
	HALF_CHUNK_LINE = 4, /* the rest of a chunk size line (extension, CR) */
	HALF_CHUNK_DATA = 5, /* `left` bytes of chunk payload to come */
	HALF_CHUNK_END = 6,  /* the line end after chunk payload */
	HALF_TRAILER = 7,    /* trailer lines until an empty one */
	HALF_CLOSE = 8,      /* body until the connection closes */
	HALF_INEXACT = 9,    /* a chunked body with too many chunks in one call: end taken at the next message or close */
	HALF_DEAD = 10,      /* no more parsing in this direction */
};

enum half_flags {
	HEAD_LENGTH = 1 << 0,        /* Content-Length seen */
	HEAD_CODING = 1 << 1,        /* Transfer-Encoding seen */
	HEAD_CHUNKED = 1 << 2,       /* its last coding is chunked */
	HEAD_LONG = 1 << 3,          /* the line in the carry is longer than the carry */
	HEAD_TRACEPARENT = 1 << 4,
	HEAD_TRACEPARENT_BAD = 1 << 5, /* twice, folded or invalid */
	HEAD_HOST = 1 << 6,
	HEAD_VERSION_10 = 1 << 8,
	HEAD_DIGITS = 1 << 9,        /* chunk size has at least one digit */
	HEAD_SLOT = 1 << 10,         /* this message has a slot */
	HEAD_LAST_FRAMING = 1 << 12, /* the last header line was Content-Length or Transfer-Encoding */
	HEAD_LAST_TRACEPARENT = 1 << 13,
	HEAD_UNASKED = 1 << 14,      /* response of a server that has read no request */
	HEAD_EARLY = 1 << 15,        /* response whose request's hook has not run yet: kept in `early` */
	HEAD_UNTOLD = 1 << 16,       /* request whose head is complete, not yet open for the response half */
};

struct half {
	__u64 left;
	__u64 body;          /* payload bytes of this message so far */
	__u64 length;        /* value of Content-Length */
	__u64 start_ns;      /* operation that brought the first byte of this message */
	__u64 arrival_ns;    /* when that byte became readable, 0 = not known */
	__u32 start_seq;
	__u32 index;         /* number of this message (final ones only) on the connection */
	__u32 flags;         /* enum half_flags */
	__u16 carry_length;
	__u16 status;
	__u8 state;          /* enum half_state */
	__u8 _pad[7];
};

#define SLOTS 4
/* Requests outstanding beyond the slots whose method still has to be remembered (a HEAD has no response body). */
#define OUTSTANDING_MAX 64

enum slot_state {
	SLOT_REQUEST = 1 << 0,  /* the request head is complete: set by the request half */
	SLOT_RESPONSE = 1 << 1, /* the response has ended: set by the response half */
	SLOT_CLOSED = 1 << 2,   /* given up by close, sweep or rejection */
};

#define SLOT_TEXT (VOR_TARGET_MAX + VOR_HOST_MAX + VOR_METHOD_MAX)

/* One outstanding exchange. state is the hand-off: whoever sets the second bit (atomically) owns the slot, emits it and
 * frees it with state = 0. */
struct slot {
	__u32 state;
	__u32 index;
	__u32 owner_tid;        /* thread holding it as evidence, 0 = none */
	__s32 fd;               /* key in the nginx map, -1 = none */
	__u32 response_flags;   /* enum vor_http_flags that the response half knows; merged at the end */
	__u8 nonblocking;       /* of a server request's socket when its head was complete */
	__u8 published;         /* a client's ids are (or were) in vor_joins */
	__u8 _pad[2];
	__u64 end_ns;           /* last response byte; 0 = not reached */
	struct vor_http_record record;
	char text[SLOT_TEXT];
	char method_text[VOR_METHOD_MAX];
};

#define REQUEST_CARRY 512
#define RESPONSE_CARRY 128

struct http1 {
	struct half request;
	struct half response;
	__u32 request_next;     /* requests open for the response half so far; written by the request half after the slot's state */
	__u32 response_next;    /* final responses ended; written by the response half */
	__u64 head_methods;     /* bit index % 64: request was HEAD (or CONNECT): written by the request half */
	__u64 connect_methods;
	__u64 join_ends;        /* of this connection (joins.h) */
	__u32 methods_next;     /* requests whose method is in them; written by the request half after them */
	__u32 slot_base;        /* index of an exchange in the first slot: moved by the request half while no slot is in use */
	__u32 head_late;        /* 1 + index of a HEAD request that was seen after the head of its response; by the request half */
	__u8 request_dir;       /* DIR_RECV: we are the server */
	__u8 counted;           /* the connection was counted as HTTP/1 */
	__u32 early_done;       /* a response ended before the hooks of its request did: its facts wait in `early` */
	__u32 request_seq;      /* plain TCP: sequence number after the last request byte that a hook has told us of */
	__u8 tcp_plain;
	__u32 netns;
	__u64 inode;            /* of our socket, and for unix of the peer's: records carry them */
	__u64 peer_inode;
	__u8 family;
	__u8 _pad[6];
	__u32 nginx_tgid;       /* key of this connection in vor_nginx_requests, 0 = none */
	__s32 nginx_fd;
	struct vor_address local;
	struct vor_address remote;
	struct {
		__u64 response_ns;
		__u64 end_ns;
		__u64 body;
		__u32 index;
		__u32 flags;
		__u16 status;
		__u8 informational;
	} early;
	char request_carry[REQUEST_CARRY];
	char response_carry[RESPONSE_CARRY];
	struct slot slots[SLOTS];
};
