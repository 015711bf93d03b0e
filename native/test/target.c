// The traced program: calls its probed function as often as a line on standard input says, then answers with a line.
#include <stdio.h>

// What <sys/sdt.h> would write for DTRACE_PROBE1(bpfl, call, value): a note with the address of a nop.
#define PROBE(value)                                                                     \
	__asm__ volatile("990: nop\n"                                                         \
					 ".pushsection .note.stapsdt,\"\",\"note\"\n"                         \
					 ".balign 4\n"                                                        \
					 ".4byte 992f-991f, 994f-993f, 3\n"                                   \
					 "991: .asciz \"stapsdt\"\n"                                          \
					 "992: .balign 4\n"                                                   \
					 "993: .8byte 990b, _.stapsdt.base, 0\n"                              \
					 ".asciz \"bpfl\"\n.asciz \"call\"\n.asciz \"-4@%0\"\n"               \
					 "994: .balign 4\n"                                                   \
					 ".popsection\n"                                                      \
					 ".ifndef _.stapsdt.base\n"                                           \
					 ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n" \
					 ".weak _.stapsdt.base\n.hidden _.stapsdt.base\n"                     \
					 "_.stapsdt.base: .space 1\n.size _.stapsdt.base, 1\n"                \
					 ".popsection\n.endif\n" ::"r"(value))

__attribute__((noinline, visibility("default"))) int bpfl_target(int value)
{
	PROBE(value);
	return value * 2;
}

int main(void)
{
	int times, sum = 0;
	while (scanf("%d", &times) == 1) {
		for (int i = 1; i <= times; i++) sum += bpfl_target(i);
		printf("%d\n", sum);
		fflush(stdout);
	}
	return 0;
}
