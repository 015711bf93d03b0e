// libbpf reports through one process-wide print callback. Ours never prints: it appends to the text that the calling
// thread is collecting, so that the words end up in the error of the call that caused them.
#pragma once

#include <string>

#include "failure.h"

namespace bpfl {

// Sets the callback. Idempotent; called by every environment that loads the addon.
void install_capture();

// Collects what libbpf says on this thread while it lives. Captures nest; the inner one takes the words.
class Capture {
public:
	Capture();
	~Capture();
	Capture(const Capture&) = delete;
	Capture& operator=(const Capture&) = delete;

	void append(const char* text, size_t length);

	// The Failure with the captured words: telling lines in detail, all of them in log. For a refused load the subject
	// is the program or map that libbpf named.
	Failure fail(std::string operation, int error, std::string subject) const;

	const std::string& text() const { return text_; }

private:
	std::string text_;
	Capture* outer_;
};

// The one or two lines of a verifier log that say why: the last source or instruction line and the reason, followed by
// "(n lines omitted)".
std::string telling_lines(const std::string& verifier_log);

}  // namespace bpfl
