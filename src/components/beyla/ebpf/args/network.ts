import { attr, block, defineArgs } from '../../../../eval/args.ts'
import { bool, duration, int, list, string } from '../../../../eval/types.ts'
import { oneOf } from './common.ts'

const geoIp = {
	cache_expiry: attr(duration),
	cache_len: attr(int),
	ipinfo: block({ path: attr(string) }),
	maxmind: block({ asn_path: attr(string), country_path: attr(string) }),
}

const reverseDns = {
	cache_expiry: attr(duration),
	cache_len: attr(int),
	type: attr(oneOf(['none', 'local', 'ebpf'])),
}

const agent = {
	agent_ip: attr(string),
	agent_ip_iface: attr(string),
	agent_ip_type: attr(string),
	cidrs: attr(list(string)),
}

/** `metrics.network`: flows between hosts. All of it is still to come. */
export const networkArgs = defineArgs({
	enable: attr(bool, { deprecated: 'add "network" to metrics.features' }),
	source: attr(oneOf(['socket_filter', 'tc'])),
	...agent,
	interfaces: attr(list(string)),
	exclude_interfaces: attr(list(string)),
	protocols: attr(list(string)),
	exclude_protocols: attr(list(string)),
	cache_max_flows: attr(int),
	cache_active_timeout: attr(duration),
	direction: attr(oneOf(['both', 'ingress', 'egress'])),
	sampling: attr(int),
	deduper: attr(string),
	deduper_fc_ttl: attr(duration),
	guess_ports: attr(string),
	listen_interfaces: attr(oneOf(['watch', 'poll'])),
	listen_poll_period: attr(duration),
	print_flows: attr(bool),
	geo_ip: block(geoIp),
	reverse_dns: block(reverseDns),
})

/** `stats`: figures of TCP connections. All of it is still to come. */
export const statsArgs = defineArgs({
	...agent,
	print_stats: attr(bool),
	geo_ip: block(geoIp),
	reverse_dns: block(reverseDns),
})
