// Prints the rows of src/correlate/routes/letter-pairs.ts: node scripts/train-word-model.mjs TEXT...
import { readFileSync } from 'node:fs'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz '
/** Every pair starts with this count, so that none is impossible. */
const PRIOR = 1.5

const counts = Array.from(ALPHABET, () => Array.from(ALPHABET, () => PRIOR))
for (const file of process.argv.slice(2)) {
	for (const line of readFileSync(file, 'utf8').toLowerCase().split('\n')) {
		const letters = Array.from(line, (char) => ALPHABET.indexOf(char)).filter((index) => index >= 0)
		for (let i = 1; i < letters.length; i++) counts[letters[i - 1]][letters[i]]++
	}
}
for (const row of counts) {
	const total = row.reduce((sum, count) => sum + count)
	console.log(
		row
			.map((count) =>
				Math.round(-Math.log(count / total) * 100)
					.toString(36)
					.padStart(2, '0'),
			)
			.join(''),
	)
}
