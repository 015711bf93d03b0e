#include "kprobe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

namespace bpfl {

Failure kprobe_pmu(const std::string& operation, const std::string& subject, uint32_t* type) {
	const int fd = open("/sys/bus/event_source/devices/kprobe/type", O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	const ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0) close(fd);
	if (got <= 0) return failure(operation, EOPNOTSUPP, subject, "this kernel has no kprobe events");
	*type = static_cast<uint32_t>(strtoul(text, nullptr, 10));
	return ok();
}

}  // namespace bpfl
