/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The contract between the kernel side and user space: every record, enum and counter that crosses.
 *
 * Fixed widths, explicit padding, little-endian host order unless a field says otherwise. The build writes
 * src/capture/layout.gen.ts from the BTF of the object that includes this file, with a hash over the layout; the
 * loader refuses an object with another hash. Times are boot-clock nanoseconds (bpf_ktime_get_boot_ns). */
#pragma once

enum vor_record_kind {
	VOR_RECORD_HTTP1 = 1,    /* struct vor_http_record: one finished (or abandoned) exchange */
	VOR_RECORD_CONN = 2,     /* struct vor_conn_record: a connection was classified as one we cannot read */
	VOR_RECORD_EXEC = 3,     /* struct vor_exec_record */
	VOR_RECORD_FORK = 4,     /* struct vor_fork_record */
	VOR_RECORD_EXIT = 5,     /* struct vor_exit_record */
	VOR_RECORD_LISTEN = 6,   /* struct vor_listen_record */
};

enum vor_role {
	VOR_ROLE_UNKNOWN = 0,
	VOR_ROLE_SERVER = 1,
	VOR_ROLE_CLIENT = 2,
};

enum vor_protocol {
	VOR_PROTO_NONE = 0,      /* no bytes seen yet */
	VOR_PROTO_HTTP1 = 1,
	VOR_PROTO_TLS = 2,
	VOR_PROTO_HTTP2 = 3,
	VOR_PROTO_UNKNOWN = 4,   /* the first messages looked like nothing we know */
};

/* RFC 9110 methods and PATCH; anything else is OTHER and its text travels in the record. */
enum vor_method {
	VOR_METHOD_OTHER = 0,
	VOR_METHOD_GET = 1,
	VOR_METHOD_HEAD = 2,
	VOR_METHOD_POST = 3,
	VOR_METHOD_PUT = 4,
	VOR_METHOD_DELETE = 5,
	VOR_METHOD_CONNECT = 6,
	VOR_METHOD_OPTIONS = 7,
	VOR_METHOD_TRACE = 8,
	VOR_METHOD_PATCH = 9,
};

/* Why the span has the parent it has (design, section 3). */
enum vor_evidence {
	VOR_EVIDENCE_NONE = 0,
	VOR_EVIDENCE_HEADER = 1,         /* inbound or own traceparent header */
	VOR_EVIDENCE_SAME_HOST = 2,      /* server: the client end of this very connection, found by its key */
	VOR_EVIDENCE_THREAD = 3,         /* client: blocking server socket, exactly one open request on this thread */
	VOR_EVIDENCE_NGINX_REQUEST = 4,  /* client: nginx's own request pointer */
};

/* Why a client span has no in-process parent. */
enum vor_absent {
	VOR_ABSENT_NOT_APPLICABLE = 0,   /* it has one, or it is a server span */
	VOR_ABSENT_NO_OPEN_REQUEST = 1,  /* the process holds no open server request: a root of its own */
	VOR_ABSENT_NONBLOCKING = 2,      /* open requests exist but on non-blocking sockets and no runtime key */
	VOR_ABSENT_AMBIGUOUS = 3,        /* this thread holds more than one open request */
	VOR_ABSENT_OTHER_THREAD = 4,     /* open requests exist, on other threads only */
};

enum vor_http_flags {
	VOR_HTTP_RESPONSE_SEEN = 1 << 0,      /* a final response head was seen: status is valid */
	VOR_HTTP_RESPONSE_COMPLETE = 1 << 1,  /* the response body's end was seen (or it has none) */
	VOR_HTTP_REQUEST_COMPLETE = 1 << 2,   /* the request body's end was seen */
	VOR_HTTP_SIZE_INEXACT = 1 << 3,       /* more chunks in one call than are walked: end taken at next request or close */
	VOR_HTTP_PIPELINED = 1 << 4,          /* more than one request was outstanding on the connection */
	VOR_HTTP_CLOSED = 1 << 5,             /* ended by the close of the connection, not by its own framing */
	VOR_HTTP_UPGRADED = 1 << 6,           /* 101 or successful CONNECT: the connection left HTTP/1 */
	VOR_HTTP_TARGET_TRUNCATED = 1 << 7,   /* the request target was longer than VOR_TARGET_MAX */
	VOR_HTTP_HOST_TRUNCATED = 1 << 8,
	VOR_HTTP_VERSION_10 = 1 << 9,         /* HTTP/1.0 */
	VOR_HTTP_TRACEPARENT = 1 << 10,       /* the request carried a valid traceparent (hdr_trace_id, hdr_span_id) */
	VOR_HTTP_JOIN_KEY = 1 << 11,          /* join_seq is valid */
	VOR_HTTP_JOINED = 1 << 12,            /* server: the client's ids were found in the kernel and adopted */
	VOR_HTTP_IDS_PUBLISHED = 1 << 13,     /* client: ids were published before the request's bytes left */
	VOR_HTTP_EARLY_RESPONSE = 1 << 14,    /* the response ended before the request body did */
	VOR_HTTP_METHOD_TRUNCATED = 1 << 15,  /* method text longer than VOR_METHOD_MAX */
	VOR_HTTP_SAMPLED_FLAG = 1 << 16,      /* the adopted traceparent's sampled bit (set too when there was none) */
	VOR_HTTP_SCHEME_TLS = 1 << 17,        /* plaintext of a TLS connection (not produced yet) */
	VOR_HTTP_PEER_RESET = 1 << 18,        /* the connection ended by an error or reset */
	VOR_HTTP_REFUSED_HEADER_SAME_TRACE = 1 << 19, /* header's trace id equalled the same-host client's: parent is that client */
};

/* Longest request target, host and foreign method text kept. Longer ones are cut and flagged. */
#define VOR_TARGET_MAX 400
#define VOR_HOST_MAX 96
#define VOR_METHOD_MAX 24

/* Every record starts with this. size: bytes of the whole slot payload, a multiple of 8. */
struct vor_record_header {
	__u16 kind;      /* enum vor_record_kind */
	__u16 size;
	__u32 cpu;
};

/* A process is (tgid, start time of its leader): pids are reused, pairs are not. */
struct vor_process_key {
	__u32 tgid;      /* in the initial pid namespace */
	__u32 _pad;
	__u64 start_ns;  /* leader's start_boottime */
};

struct vor_address {
	__u8 addr[16];   /* network order; IPv4 as v4-mapped ::ffff:a.b.c.d; unix: zero */
	__u16 port;      /* host order; unix: zero */
	__u16 _pad[3];
};

/* One exchange as one side of one socket saw it. Followed by text_len bytes: target, then host, then the method's text
 * if method is OTHER. `size` in the header is the record's own length with its text, rounded up to 8. */
struct vor_http_record {
	struct vor_record_header header;
	struct vor_process_key process;  /* owner when the request head was completed */
	__u32 tid;
	__u32 netns;                     /* network namespace inode number */
	__u64 start_ns;                  /* client: first request byte sent; server: first request byte read */
	__u64 arrival_ns;                /* server: first request byte was readable (sk_data_ready); 0 = not known */
	__u64 request_end_ns;            /* last request byte; 0 = not seen */
	__u64 response_ns;               /* first byte of the final response head; 0 = none */
	__u64 end_ns;                    /* last response byte, or close */
	__u64 request_body;              /* bytes of body payload (chunk framing not counted) */
	__u64 response_body;
	struct vor_address local;
	struct vor_address remote;
	__u8 trace_id[16];
	__u8 span_id[8];
	__u8 parent_span_id[8];          /* zero = root */
	__u8 hdr_trace_id[16];           /* valid with VOR_HTTP_TRACEPARENT */
	__u8 hdr_span_id[8];
	__u64 sock;                      /* socket inode number: identity of the socket for logs and unix joins */
	__u64 peer_sock;                 /* unix: the peer's socket inode number; else 0 */
	__u32 join_seq;                  /* TCP sequence number of the request's first byte: the join key with the 4-tuple */
	__u32 flags;                     /* enum vor_http_flags */
	__u16 status;                    /* 0 = no response seen */
	__u8 method;                     /* enum vor_method */
	__u8 role;                       /* enum vor_role */
	__u8 family;                     /* AF_UNIX 1, AF_INET 2, AF_INET6 10 */
	__u8 evidence;                   /* enum vor_evidence */
	__u8 absent;                     /* enum vor_absent */
	__u8 informational;              /* number of 1xx responses seen, saturating */
	__u16 target_len;
	__u16 host_len;
	__u16 method_len;
	__u16 text_len;                  /* target_len + host_len + method_len */
	struct vor_process_key peer_process; /* server, with VOR_HTTP_JOINED: who sent the request; else zero */
	/* char text[]; */
};

/* A connection we cannot read, once per connection. */
struct vor_conn_record {
	struct vor_record_header header;
	struct vor_process_key process;
	__u64 time_ns;
	struct vor_address local;
	struct vor_address remote;
	__u8 role;
	__u8 protocol;                   /* enum vor_protocol */
	__u8 family;
	__u8 _pad[5];
};

#define VOR_EXEC_ARGS_MAX 512
#define VOR_EXEC_ENV_MAX 512
#define VOR_COMM_LEN 16
#define VOR_FILENAME_MAX 128

/* A new program image. args: the start of argv, NUL-separated. env: only the variables whose name starts with OTEL_,
 * NUL-separated, as many as fit. */
struct vor_exec_record {
	struct vor_record_header header;
	struct vor_process_key process;
	__u64 time_ns;
	__u64 exe_inode;
	__u32 exe_dev;                   /* kernel dev_t */
	__u32 ppid;
	__u32 netns;
	__u32 pidns;
	__u16 args_len;
	__u16 env_len;
	__u16 filename_len;
	__u16 env_truncated;             /* 1 = the environment was longer than what was searched */
	char comm[VOR_COMM_LEN];
	char filename[VOR_FILENAME_MAX]; /* the path given to execve, cut from the left if longer */
	char args[VOR_EXEC_ARGS_MAX];
	char env[VOR_EXEC_ENV_MAX];
};

/* A new thread group (never a thread). */
struct vor_fork_record {
	struct vor_record_header header;
	struct vor_process_key process;
	struct vor_process_key parent;
	__u64 time_ns;
	char comm[VOR_COMM_LEN];
};

struct vor_exit_record {
	struct vor_record_header header;
	struct vor_process_key process;
	__u64 time_ns;
	__u32 exit_code;
	__u32 _pad;
};

struct vor_listen_record {
	struct vor_record_header header;
	struct vor_process_key process;
	__u64 time_ns;
	struct vor_address local;
	__u32 netns;
	__u32 family;
};

/* Selection is three-state; a process missing from the map is UNKNOWN and is captured. */
enum vor_selection {
	VOR_SELECT_UNKNOWN = 0,
	VOR_SELECT_SELECTED = 1,
	VOR_SELECT_REJECTED = 2,
};

/* Or-ed into a value of vor_processes: nginx's ngx_chain_writer is probed in this process. */
#define VOR_PROCESS_NGINX 0x100

/* Index into the per-CPU counter array `vor_counters` (u64 each). While dropped reasons, state_full and recursion misses
 * are 0: started = emitted + dropped + open. */
enum vor_counter {
	VOR_COUNT_STARTED = 0,           /* request heads completed */
	VOR_COUNT_EMITTED = 1,           /* records committed to the ring */
	VOR_COUNT_DROPPED_RING_FULL = 2, /* no room in the ring: went to the fallback map */
	VOR_COUNT_FALLBACK_ADDED = 3,    /* of those, counted in the fallback RED map */
	VOR_COUNT_FALLBACK_FULL = 4,     /* of those, lost: the fallback map was full */
	VOR_COUNT_DROPPED_PIPELINE = 5,  /* more outstanding requests than slots */
	VOR_COUNT_DROPPED_REJECTED = 6,  /* process was rejected while its request was open */
	VOR_COUNT_DROPPED_STATE_LOST = 7,/* connection state vanished with a request open (sweep, reuse) */
	VOR_COUNT_STATE_FULL = 8,        /* connections without state: no memory or map full */
	VOR_COUNT_READ_FAULT = 9,        /* user memory could not be read */
	VOR_COUNT_JOIN_FULL = 10,        /* always 0: a place that is needed again is overwritten, both records keep the key */
	VOR_COUNT_THREAD_FULL = 11,      /* thread evidence map was full */
	VOR_COUNT_PROCESS_DROPPED = 12,  /* process event not delivered: its ring was full */
	VOR_COUNT_CONN_DROPPED = 13,     /* connection record not delivered */
	VOR_COUNT_CONN_TLS = 14,         /* connections classified, also when their record was dropped */
	VOR_COUNT_CONN_HTTP2 = 15,
	VOR_COUNT_CONN_UNKNOWN = 16,
	VOR_COUNT_CONN_HTTP1 = 17,
	VOR_COUNT_MALFORMED = 18,        /* HTTP/1 connections given up because the bytes made no sense */
	VOR_COUNT_UNSEEN_SEGMENT = 19,   /* head bytes that passed on a path without a user buffer (splice, sendfile, io_uring) */
	VOR_COUNT_MAX = 20,
};

/* Duration histogram of the fallback map: upper bounds in microseconds, upper-inclusive, the B1 buckets of the semantic
 * conventions: 5ms 10 25 50 75 100 250 500 750 1s 2.5 5 7.5 10, +Inf. */
#define VOR_DURATION_BUCKETS 15
/* Body sizes: bounds 0 32 64 128 256 512 1024 2048 4096 8192 bytes, +Inf. */
#define VOR_SIZE_BUCKETS 11

struct vor_red_key {
	struct vor_process_key process;
	__u16 status;                    /* 0 = none */
	__u8 method;
	__u8 role;
	__u32 flags;                     /* VOR_HTTP_VERSION_10 | VOR_HTTP_PEER_RESET only */
	__u16 port;                      /* client: remote port; server: local port */
	__u16 _pad[3];
};

struct vor_red_value {
	__u64 count;
	__u64 duration_sum_ns;
	__u64 request_body_sum;
	__u64 response_body_sum;
	__u32 duration[VOR_DURATION_BUCKETS];
	__u32 request_body[VOR_SIZE_BUCKETS];
	__u32 response_body[VOR_SIZE_BUCKETS];
	__u32 _pad;
};

/* The #define limits again, so that they are in the object's BTF. */
enum vor_limits {
	VOR_LIMIT_TARGET_MAX = VOR_TARGET_MAX,
	VOR_LIMIT_HOST_MAX = VOR_HOST_MAX,
	VOR_LIMIT_METHOD_MAX = VOR_METHOD_MAX,
	VOR_LIMIT_EXEC_ARGS_MAX = VOR_EXEC_ARGS_MAX,
	VOR_LIMIT_EXEC_ENV_MAX = VOR_EXEC_ENV_MAX,
	VOR_LIMIT_COMM_LEN = VOR_COMM_LEN,
	VOR_LIMIT_FILENAME_MAX = VOR_FILENAME_MAX,
	VOR_LIMIT_DURATION_BUCKETS = VOR_DURATION_BUCKETS,
	VOR_LIMIT_SIZE_BUCKETS = VOR_SIZE_BUCKETS,
};
