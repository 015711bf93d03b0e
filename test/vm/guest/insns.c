// Prints `PROGRAM COUNT` for every program named after the object: instructions that the verifier walked. Only for kernels
// whose bpf_prog_info does not tell (before 5.16): there the count stands in the verifier's log alone.
//   insns OBJECT [PROGRAM…]
#include <bpf/libbpf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_STATS 4
#define LOG_BYTES (64 * 1024)

static int silent(enum libbpf_print_level level, const char *format, va_list arguments) {
	(void)level, (void)format, (void)arguments;
	return 0;
}

static bool wanted(const char *name, int count, char **names) {
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0) return true;
	return false;
}

int main(int count, char **arguments) {
	struct bpf_program *program;
	libbpf_set_print(silent);
	struct bpf_object *object = count > 1 ? bpf_object__open_file(arguments[1], NULL) : NULL;
	if (object == NULL) return 2;
	bpf_object__for_each_program(program, object) {
		bpf_program__set_autoload(program, wanted(bpf_program__name(program), count - 2, arguments + 2));
		bpf_program__set_log_level(program, LOG_STATS);
		bpf_program__set_log_buf(program, calloc(1, LOG_BYTES), LOG_BYTES);
	}
	const int failed = bpf_object__load(object);
	bpf_object__for_each_program(program, object) {
		size_t size = 0;
		const char *log = bpf_program__log_buf(program, &size);
		const char *processed = log == NULL ? NULL : strstr(log, "processed ");
		if (processed != NULL) printf("%s %ld\n", bpf_program__name(program), strtol(processed + 10, NULL, 10));
	}
	return failed != 0;
}
