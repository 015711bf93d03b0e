import { validateConfiguration } from '../../src/graph/validate.ts'
import { renderDiagnostics } from '../../src/syntax/render.ts'
import { alloyRegistry } from './alloy-registry.ts'
import { type ConformanceResult, differ, sharedFiles, sharedText } from './result.ts'

const marker = '-- main.alloy --\n'

/** The fixtures of Alloy's validator: a configuration and what is printed about it. */
export async function run(): Promise<ConformanceResult> {
	const differences: string[] = []
	const files = sharedFiles('validator', '.txtar')
	for (const { name, text } of files) {
		const config = text.slice(text.indexOf(marker) + marker.length)
		const { problems, sources } = await validateConfiguration(
			{ path: 'main.alloy', files: [{ name: 'main.alloy', text: config }] },
			{
				registry: alloyRegistry,
				stability: name.includes('non_ga') ? 'generally-available' : 'experimental',
				env: {},
			},
		)
		const wanted = sharedText(name.replace('.txtar', '.diags')).trimEnd()
		const difference = differ(name, wanted, renderDiagnostics(problems, sources).trimEnd())
		if (difference !== undefined) differences.push(difference)
	}
	return {
		kind: 'validator',
		agreed: files.length - differences.length,
		total: files.length,
		notYet: 0,
		differences,
	}
}
