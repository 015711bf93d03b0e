// Speed of the hand-written parser beside one that peggy generated from test/bench/syntax.peggy, on the same text.
// `npx tsx test/bench/syntax.bench.ts [FILE]`; without FILE on a text made of a pipeline as people write them.
import { readFileSync } from 'node:fs'
import peggy from 'peggy'
import { parseFile } from '../../src/syntax/parser.ts'
import { formatSource } from '../../src/syntax/printer.ts'
import { Scanner } from '../../src/syntax/scanner.ts'
import { Source } from '../../src/syntax/source.ts'
import { Token } from '../../src/syntax/token.ts'

const pipeline = `// Traces and metrics of everything on this machine.
beyla.ebpf "default" {
	attributes {
		kubernetes {
			enable = "autodetect" // inside a cluster only
		}
	}

	discovery {
		instrument {
			exe_path   = "/usr/bin/*"
			open_ports = "80,443,8000-8999"
		}
	}
	output {
		traces = [otelcol.processor.batch.default.input]
	}
}

discovery.relabel "pods" {
	targets = array.concat(
		discovery.kubernetes.pods.targets,
		[{"__address__" = "127.0.0.1:9090", "job" = "vor"}],
	)

	rule {
		source_labels = ["__meta_kubernetes_namespace", "__meta_kubernetes_pod_label_app"]
		separator     = "/"
		regex         = "(.+)/(.*)"
		action        = "replace"
		target_label  = "job"
		replacement   = "$1"
	}
}

/* Batches of a size
   that Tempo likes. */
otelcol.processor.batch "default" {
	send_batch_size = 4096 * 2
	timeout         = "5s"
	output {
		metrics = [otelcol.exporter.prometheus.default.input]
		traces  = [otelcol.exporter.otlp.tempo.input]
	}
}

otelcol.exporter.otlp "tempo" {
	client {
		endpoint = sys.env("TEMPO_HOST") + ":4317"
		tls {
			insecure = !(1 + 2 * 3 > 6 && true) || false
		}
	}
}
`

const path = process.argv[2]
const name = path ?? 'a pipeline, repeated'
const bytes = path === undefined ? Buffer.from(pipeline.repeat(200)) : readFileSync(path)
const text = bytes.toString('utf8')
const grammar = readFileSync(new URL('syntax.peggy', import.meta.url), 'utf8')
const generated = peggy.generate(grammar, { cache: false })

const { file, diagnostics } = parseFile(name, bytes)
const rival = generated.parse(text) as unknown[]
if (diagnostics.length > 0 || rival.length !== file.body.length) throw new Error('the two parsers disagree')

const cases: Record<string, () => unknown> = {
	'scan, from bytes': () => {
		const scanner = new Scanner(new Source(name, bytes), () => undefined)
		do scanner.next()
		while (scanner.kind !== Token.Eof)
	},
	'parse, from bytes': () => parseFile(name, bytes),
	'parse, from a string': () => parseFile(name, text),
	'parse and print': () => formatSource(name, bytes),
	'peggy, parse, from a string': () => generated.parse(text),
}
for (const run of Object.values(cases)) for (let i = 0; i < 10; i++) run()
const rounds: Record<string, number[]> = {}
// Interleaved, and the median in the end: the machine's other work hits all alike.
for (let round = 0; round < 15; round++) {
	for (const [what, run] of Object.entries(cases)) {
		const started = process.cpuUsage()
		for (let i = 0; i < 3; i++) run()
		const used = process.cpuUsage(started)
		;(rounds[what] ??= []).push((used.user + used.system) / 3)
	}
}
const median = (what: string): number => rounds[what]!.sort((a, b) => a - b)[7]!
const base = median('peggy, parse, from a string')
console.log(`syntax  ${name}, ${(bytes.length / 1024).toFixed(0)} KiB; CPU time`)
for (const what of Object.keys(cases)) {
	const speed = bytes.length / median(what)
	console.log(
		`syntax  ${speed.toFixed(1).padStart(6)} MB/s  ×${(base / median(what)).toFixed(1).padStart(5)}  ${what}`,
	)
}
