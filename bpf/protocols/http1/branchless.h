/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* The small loops of the parser without a branch, for verifiers that walk every way out of every turn (before 5.17 a loop
 * cannot be verified by itself). A condition is a number, 0 or 1: the sign of a difference. */
#pragma once

#define BLANKS_MAX 16

INLINE __u64 below(__u64 a, __u64 b)
{
	__u64 difference = a - b;
	OPAQUE(difference); /* or the compiler sees the comparison in it */
	return difference >> 63;
}

INLINE __u64 is_zero(__u64 value)
{
	return below(value, 1);
}

INLINE __u64 is_blank(__u64 byte)
{
	return is_zero((byte ^ ' ') * (byte ^ '\t'));
}

/* Position of the first space within the first 64 bytes after `from`, 0 = none. */
ALONE int find_space(struct scratch *s, __u32 from)
{
	__u64 before = 1, position = 1;
	for (int i = 1; i < 64; i++) {
		before &= is_zero(is_zero(load1(s, from + i) ^ ' '));
		position += before;
	}
	return position * (1 - before);
}

/* Number of blanks at the start and at the end of a value, at most BLANKS_MAX. */
ALONE __u32 leading_blanks(struct scratch *s, __u32 at, __u32 end)
{
	__u64 run = 1, n = 0;
	for (int i = 0; i < BLANKS_MAX; i++) {
		run &= is_blank(load1(s, at + i)) & below((__u64)at + i, end);
		n += run;
	}
	return n;
}

ALONE __u32 trailing_blanks(struct scratch *s, __u32 at, __u32 end)
{
	__u64 run = 1, n = 0;
	for (int i = 0; i < BLANKS_MAX; i++) {
		run &= is_blank(load1(s, end - i - 1)) & below(at, (__u64)end - i);
		n += run;
	}
	return n;
}

ALONE int content_length(struct scratch *s, struct half *half, __u32 at, __u32 end)
{
	__u64 value = 0, bad = 0;
	if (end - at > 18 || end == at || (half->flags & HEAD_LENGTH))
		return ROUND_MALFORMED;
	for (int i = 0; i < 18; i++) {
		__u64 digit = (__u8)(load1(s, at + i) - '0'), within = below((__u64)at + i, end);
		bad |= within & below(9, digit);
		value += within * (value * 9 + digit);
	}
	if (bad)
		return ROUND_MALFORMED;
	half->length = value;
	half->flags |= HEAD_LENGTH | HEAD_LAST_FRAMING;
	return ROUND_ON;
}

/* Number of capital letters from `at` on, at most CLASSIFY_BYTES. */
ALONE int capitals(struct scratch *s, __u32 at)
{
	__u64 run = 1, n = 0;
	for (int i = 0; i < CLASSIFY_BYTES; i++) {
		run &= below((__u8)(load1(s, at + i) - 'A'), 26);
		n += run;
	}
	return n;
}

/* Number of CR and LF at the start, at most 4. */
ALONE int empty_lines(struct scratch *s)
{
	__u64 run = 1, n = 0;
	for (int i = 0; i < 4; i++) {
		__u64 byte = load1(s, i);
		run &= is_zero((byte ^ '\r') * (byte ^ '\n'));
		n += run;
	}
	return n;
}
