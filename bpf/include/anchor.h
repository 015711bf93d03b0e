/* SPDX-License-Identifier: (GPL-2.0-only OR MIT) */
/* Keeps every type of the contract in the object's BTF: clang leaves out what no global mentions. */
#pragma once

#include "common.h"

union vor_contract {
	enum vor_record_kind record_kind;
	enum vor_role role;
	enum vor_protocol protocol;
	enum vor_method method;
	enum vor_evidence evidence;
	enum vor_absent absent;
	enum vor_http_flags http_flags;
	enum vor_selection selection;
	enum vor_counter counter;
	enum vor_limits limits;
	struct vor_record_header header;
	struct vor_process_key process_key;
	struct vor_address address;
	struct vor_http_record http;
	struct vor_conn_record conn;
	struct vor_exec_record exec;
	struct vor_fork_record fork;
	struct vor_exit_record exit;
	struct vor_listen_record listen;
	struct vor_red_key red_key;
	struct vor_red_value red_value;
};

const union vor_contract vor_contract = {};
