/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* HTTP/1 as two independent incremental parsers, one a direction. Requests flow one way, responses the other; whoever
 * sends requests is the client. Every function here gives the same result for every cut of the same bytes. */
#pragma once

#include "http1/parse.h"
