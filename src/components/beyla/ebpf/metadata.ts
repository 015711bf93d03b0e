import type { ComponentMetadata } from '../../../graph/component.ts'

export const metadata: ComponentMetadata = {
	summary: "The whole line from socket to spans and RED metrics in one block, with Alloy's arguments.",
	docs: `Runs \`ebpf.ringbuf\`, \`ebpf.decode\`, \`ebpf.correlate\`, \`ebpf.propagate\` and \`ebpf.aggregate\` inside. As in
Alloy, a block without an entry in \`discovery\` instruments nothing.

\`\`\`alloy
beyla.ebpf "shop" {
	discovery {
		instrument {
			open_ports = "8080-8090"
		}

		instrument {
			exe_path = "*/payment"
			name     = "payment"

			sampler {
				name = "traceidratio"
				arg  = "0.1"
			}
		}
	}

	routes {
		patterns = ["/orders/{id}"]
	}

	attributes {
		select {
			attr    = "http_server_*"
			exclude = ["url.scheme"]
		}
	}

	output {
		traces  = [otelcol.exporter.otlp.alloy.input]
		metrics = [otelcol.exporter.otlp.alloy.input]
	}
}

otelcol.exporter.otlp "alloy" {
	client {
		endpoint = "127.0.0.1:4317"

		tls {
			insecure = true
		}
	}
}
\`\`\`

Every argument of Alloy's \`beyla.ebpf\` is known. Those without effect yet are accepted and named in a warning. As in
Alloy a zero value (\`""\`, \`0\`, \`false\`, \`[]\`) counts as not written, so that the default in the text holds.

\`targets\` holds one target: the RED metrics of this block alone, at \`/api/v0/component/beyla.ebpf.LABEL/metrics\`. Scrape
it with \`honor_labels = true\`.

Every change takes effect while the probes stay attached. One of \`metrics\`, \`routes\` or \`attributes\` begins its series
anew.

Where it differs from Alloy on purpose:

* \`attributes\` may stand without its \`kubernetes\` block. Alloy refuses that, against its own documentation.
* A broken pattern or port in \`discovery\` is an error at once. Alloy accepts it, and then Beyla does not start.
* \`exe_path\` and the other patterns of the old \`services\` family are JavaScript regular expressions, with Go's
  \`(?i)\`, \`(?P<name>…)\`, \`\\A\` and \`\\z\`.
* \`attributes.select\` of \`traces\` can leave out every attribute, not only those that Beyla has off by default.
* Without \`traces.sampler\` every span is exported, also of requests whose \`traceparent\` says *not sampled*; Beyla's
  default is \`parentbased_always_on\`.`,
	consumes: [],
	produces: ['traces', 'metrics', 'targets'],
}
