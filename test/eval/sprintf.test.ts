import { expect, it } from 'vitest'
import type { Native } from '../../src/eval/native.ts'
import { sprintf } from '../../src/eval/stdlib/sprintf.ts'
import { Float } from '../../src/eval/stdlib/sprintf-verbs.ts'

const float = (data: number): Native => new Float(data) as unknown as Native

/** What Go's own printed. */
const cases: readonly (readonly [pattern: string, args: readonly Native[], wanted: string])[] = [
	['%.1f', [float(0.25)], '0.2'],
	['%.0f', [float(2.5)], '2'],
	['%.0f', [float(3.5)], '4'],
	['%.2v', [float(-2.25)], '-2.2'],
	['%.2e', [float(0.0001525)], '1.52e-04'],
	['%.3f', [float(1e21)], '1000000000000000000000.000'],
	['%.30f', [float(0.1)], '0.100000000000000005551115123126'],
	['%g', [float(1e6)], '1e+06'],
	['%g', [float(100000)], '100000'],
	['%.3g', [float(99950)], '1e+05'],
	['%v', [float(1.5e-5)], '1.5e-05'],
	['%G', [float(1e-7)], '1E-07'],
	['%#g', [float(0)], '0.00000'],
	['%#g', [float(100)], '100.000'],
	['%#.f', [float(1.5)], '2.'],
	['%#.0e', [float(3)], '3.e+00'],
	['%#v', [float(100)], '100'],
	['%.0f', [float(99.5)], '100'],
	['%e', [float(0)], '0.000000e+00'],
	[
		'%5.1f|%-7.1f|%+07.1f|% .1f',
		[float(-1.25), float(1.25), float(1.25), float(9.96)],
		' -1.2|1.2    |+0001.2| 10.0',
	],
	[
		'%v|%5g|%+v|% e|%06f',
		[
			float(Number.POSITIVE_INFINITY),
			float(Number.POSITIVE_INFINITY),
			float(Number.POSITIVE_INFINITY),
			float(Number.POSITIVE_INFINITY),
			float(Number.POSITIVE_INFINITY),
		],
		'+Inf| +Inf|+Inf| Inf|  +Inf',
	],
	['%v|%+v|%06v', [float(Number.NaN), float(Number.NaN), float(Number.NaN)], 'NaN|NaN|   NaN'],
	['%v', [float(Number.NEGATIVE_INFINITY)], '-Inf'],
	['%x', [float(1.5)], '0x1.8p+00'],
	['%X', [float(-255.9375)], '-0X1.FFEP+07'],
	['%.1x', [float(1.96875)], '0x1.0p+01'],
	['%.0x', [float(1.5)], '0x1p+01'],
	['%x', [float(5e-324)], '0x1p-1074'],
	['%#x|%#X', [float(1e6), float(1e6)], '0x1.e848p+19|0X1.E848P+19'],
	['%x', [float(0)], '0x0p+00'],
	['%b', [float(0.5)], '4503599627370496p-53'],
	['%d', [float(1.5)], '%!d(float64=1.5)'],
	['%#d', [float(1.5)], '%!d(float64=1.50000)'],
	['%.2T|%6T|%T', [1, 'a', null], 'in|string|<nil>'],
	['%05v|%05v|%-05v|', [true, null, 'a'], '0true|<nil>|a    |'],
	['%06s', ['-ab'], '000-ab'],
	['%#O|%#o', [8, 8], '0o010|010'],
	['%#.1v', ['abc'], '"a"'],
	['%+q', [-1], "'\\ufffd'"],
	['%05q', [65], "00'A'"],
	['%#U|%#U', [55296, 9731], "U+D800|U+2603 '☃'"],
	[
		'%o|%v|%5v|%#v',
		[
			[null, 8],
			[null, 8],
			[null, 8],
			[null, 8],
		],
		'[<nil> 10]|[<nil> 8]|[<nil>     8]|[]interface {}{interface {}(nil), 8}',
	],
	['%.', [], '%!.(MISSING)'],
	['%.', [1], '%!.(int=1)'],
	['%#t|%#c', ['a', 'b'], '%!t(string=a)|%!c(string=b)'],
	['%.2f', [{ a: float(1.005), b: float(2.675) }], 'map[%!f(string=a):1.00 %!f(string=b):2.67]'],
]

it.each(cases)('%j of %j is written as Go writes it', (pattern, args, wanted) => {
	expect(sprintf(pattern, args)).toBe(wanted)
})
