#include "capture.h"

#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>

#include <string_view>
#include <vector>

namespace bpfl {

namespace {

constexpr size_t kTextMax = 32u << 20;  // a log of level 2 can be huge: beyond this it is cut
constexpr std::string_view kBegin = "-- BEGIN PROG LOAD LOG --\n";
constexpr std::string_view kEnd = "-- END PROG LOAD LOG --";

// Not state of the addon: which capture is open on this thread's stack right now.
thread_local Capture* current = nullptr;

int print(enum libbpf_print_level level, const char* format, va_list args) {
	if (level == LIBBPF_DEBUG || current == nullptr) return 0;
	va_list again;
	va_copy(again, args);
	const int length = vsnprintf(nullptr, 0, format, again);
	va_end(again);
	if (length <= 0) return 0;
	std::string line(static_cast<size_t>(length) + 1, '\0');
	vsnprintf(line.data(), line.size(), format, args);
	current->append(line.data(), static_cast<size_t>(length));
	return 0;
}

std::vector<std::string_view> lines_of(std::string_view text) {
	std::vector<std::string_view> lines;
	while (!text.empty()) {
		const size_t end = text.find('\n');
		std::string_view line = text.substr(0, end);
		text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
		while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.remove_suffix(1);
		if (!line.empty()) lines.push_back(line);
	}
	return lines;
}

bool starts(std::string_view line, std::string_view prefix) { return line.substr(0, prefix.size()) == prefix; }

// Statistics that the verifier writes after its verdict.
bool is_summary(std::string_view line) {
	return starts(line, "processed ") || starts(line, "verification time") || starts(line, "stack depth") ||
		starts(line, "max_states_per_insn") || starts(line, "peak_states") || starts(line, "arg#");
}

// "12: (61) r1 = *(u32 *)(r2 +0)"
bool is_instruction(std::string_view line) {
	size_t i = 0;
	while (i < line.size() && line[i] >= '0' && line[i] <= '9') i++;
	return i > 0 && starts(line.substr(i), ": (");
}

std::string strip(std::string_view line) {
	if (starts(line, "libbpf: ")) line.remove_prefix(8);
	return std::string(line);
}

// The text between the first pair of single quotes after `marker`, when `suffix` follows the closing quote.
std::string quoted(const std::string& text, std::string_view marker, std::string_view suffix) {
	for (size_t at = text.find(marker); at != std::string::npos; at = text.find(marker, at + 1)) {
		const size_t from = at + marker.size();
		const size_t to = text.find('\'', from);
		if (to != std::string::npos && starts(std::string_view(text).substr(to), suffix)) return text.substr(from, to - from);
	}
	return {};
}

std::string plain_detail(const std::string& text) {
	// libbpf's first warning is the cause, the later ones are its echo up the call chain; hints ("pr_perm_msg") come last.
	const auto lines = lines_of(text);
	if (lines.empty()) return {};
	std::string detail = strip(lines.front());
	if (lines.size() > 1) detail += "; " + strip(lines[1]);
	if (lines.size() > 2) detail += " (" + std::to_string(lines.size() - 2) + " lines omitted)";
	return detail;
}

}  // namespace

std::string telling_lines(const std::string& verifier_log) {
	const auto lines = lines_of(verifier_log);
	size_t reason = lines.size();
	while (reason > 0 && is_summary(lines[reason - 1])) reason--;
	if (reason == 0) return lines.empty() ? std::string{} : std::string(lines.back());
	reason--;
	std::string text(lines[reason]);
	size_t shown = 1;
	size_t source = reason;
	while (source > 0 && !starts(lines[source], "; ")) source--;
	size_t instruction = reason;
	while (instruction > 0 && !is_instruction(lines[instruction])) instruction--;
	if (starts(lines[source], "; ") && source != reason) {
		text += " at `" + std::string(lines[source].substr(2)) + "`";
		shown++;
	} else if (instruction != reason && is_instruction(lines[instruction])) {
		text += " at `" + std::string(lines[instruction]) + "`";
		shown++;
	}
	if (lines.size() > shown) text += " (" + std::to_string(lines.size() - shown) + " lines omitted)";
	return text;
}

void install_capture() { libbpf_set_print(print); }

Capture::Capture() : outer_(current) { current = this; }

Capture::~Capture() { current = outer_; }

void Capture::append(const char* text, size_t length) {
	if (text_.size() + length <= kTextMax) text_.append(text, length);
}

Failure Capture::fail(std::string operation, int error, std::string subject) const {
	Failure result = failure(std::move(operation), error, std::move(subject));
	const size_t begin = text_.find(kBegin);
	if (begin != std::string::npos) {
		const size_t from = begin + kBegin.size();
		const size_t end = text_.find(kEnd, from);
		size_t to = end == std::string::npos ? text_.size() : end;
		// libbpf writes its own "libbpf: prog '…': " before the closing mark, on the same line as a log without line end.
		result.log = text_.substr(from, to - from);
		const size_t tail = result.log.rfind("libbpf: prog '");
		if (tail != std::string::npos && result.log.find('\n', tail) == std::string::npos) result.log.resize(tail);
		result.detail = telling_lines(result.log);
		if (result.log.empty()) result.log = text_;
	} else {
		result.log = text_;
		result.detail = plain_detail(text_);
	}
	const std::string program = quoted(text_, "prog '", "': BPF program load failed");
	if (!program.empty()) result.subject = program;
	const std::string map = quoted(text_, "map '", "': failed to create");
	if (!map.empty()) result.subject = map;
	return result;
}

}  // namespace bpfl
