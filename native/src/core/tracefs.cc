#include "tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace bpfl {

namespace {

// A directory descriptor of tracefs: the mounted one, else a mount that lives as long as the descriptor.
int open_tracefs() {
	const int mounted = open("/sys/kernel/tracing/events", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (mounted >= 0) {
		close(mounted);
		return open("/sys/kernel/tracing", O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	const int context = static_cast<int>(syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC));
	if (context < 0) return -1;
	int mount = -1;
	if (syscall(SYS_fsconfig, context, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) == 0) {
		mount = static_cast<int>(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, 0));
	}
	const int error = errno;
	close(context);
	errno = error;
	return mount;
}

bool is_plain_name(const std::string& name) {
	return !name.empty() && name.find('/') == std::string::npos && name != "." && name != "..";
}

}  // namespace

Failure open_tracepoint(const std::string& category, const std::string& name, int* event_fd) {
	const std::string subject = category + "/" + name;
	if (!is_plain_name(category) || !is_plain_name(name)) return failure("attach", EINVAL, subject, "no tracepoint has such a name");
	const int root = open_tracefs();
	if (root < 0) return failure("attach", errno, subject, std::string("tracefs cannot be opened: ") + strerror(errno));
	const std::string path = "events/" + subject + "/id";
	const int id_file = openat(root, path.c_str(), O_RDONLY | O_CLOEXEC);
	const int open_error = errno;
	close(root);
	if (id_file < 0) {
		return failure("attach", open_error, subject,
			open_error == ENOENT ? "this kernel has no tracepoint " + subject : "its id cannot be read: " + std::string(strerror(open_error)));
	}
	char text[32] = "";
	const ssize_t got = read(id_file, text, sizeof(text) - 1);
	close(id_file);
	if (got <= 0) return failure("attach", EIO, subject, "the tracepoint has no id");
	perf_event_attr attr{};
	attr.size = sizeof(attr);
	attr.type = PERF_TYPE_TRACEPOINT;
	attr.config = strtoull(text, nullptr, 10);
	const long fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0) return failure("attach", errno, subject, std::string("perf_event_open: ") + strerror(errno));
	*event_fd = static_cast<int>(fd);
	return ok();
}

}  // namespace bpfl
