// Boots one guest and listens to what its runner finds.
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { bound } from '../../../scripts/lib/bound.mjs'
import { ScriptError } from '../../../scripts/lib/report.mjs'

const PREFIX = '@vor '
const CONSOLE_LINES = 40

/**
 * By instructions: the guest's clock goes on by one nanosecond with each instruction of its only CPU, and jumps over the time
 * in which there is nothing to do. Its times are counts then, which nothing else on this machine changes.
 */
const BY_INSTRUCTIONS = {
	args: ['-accel', 'tcg,thread=single', '-cpu', 'max', '-icount', 'shift=0,sleep=off', '-smp', '1'],
	clock: 'tsc_early_khz=1000000',
}

function machineOf({ kvm, byInstructions }) {
	if (byInstructions) return BY_INSTRUCTIONS
	const cpu = ['-accel', kvm ? 'kvm' : 'tcg,thread=multi', '-cpu', kvm ? 'host' : 'max']
	return { args: [...cpu, '-smp', '2,maxcpus=8'], clock: clock() }
}

/**
 * Resolves with { findings, console, milliseconds, problem }. `problem` is '' when the runner came to its end. `onFinding`
 * sees each as it comes.
 */
export function boot({ image, kernel, consolePath, memoryMb, timeoutMs, onFinding, append = '', ...kind }) {
	const started = performance.now()
	const machine = machineOf(kind)
	const args = [
		...machine.args,
		...['-m', String(memoryMb), '-kernel', kernel, '-initrd', image],
		...['-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot'],
		// First serial port: the console. Second: the findings.
		...['-serial', `file:${consolePath}`, '-serial', 'stdio'],
		'-append',
		`console=ttyS0 panic=-1 quiet loglevel=4 mitigations=off random.trust_cpu=on ${machine.clock} ${append}`,
	]
	return new Promise((resolve, reject) => {
		const child = spawn(...bound('KILL', 'qemu-system-x86_64', args), { stdio: ['ignore', 'pipe', 'pipe'] })
		const findings = []
		let errors = ''
		let problem = ''
		const kill = () => child.kill('SIGKILL')
		process.once('exit', kill)
		const timer = setTimeout(() => {
			problem = `the guest was not done after ${timeoutMs / 1000} s`
			kill()
		}, timeoutMs)
		createInterface({ input: child.stdout }).on('line', (line) => {
			const at = line.indexOf(PREFIX)
			if (at < 0) return
			try {
				const finding = JSON.parse(line.slice(at + PREFIX.length))
				findings.push(finding)
				onFinding?.(finding)
			} catch {
				problem ||= 'a finding arrived damaged'
			}
		})
		child.stderr.on('data', (chunk) => (errors += chunk))
		child.on('error', (error) => {
			clearTimeout(timer)
			reject(new ScriptError(`cannot run qemu: ${error.message}`, 'apt-get install -y qemu-system-x86'))
		})
		child.on('close', () => {
			clearTimeout(timer)
			process.off('exit', kill)
			if (problem === '' && findings.at(-1)?.kind !== 'end') problem = 'the runner did not come to its end'
			resolve({
				findings,
				console: consoleEnd(consolePath, errors),
				milliseconds: performance.now() - started,
				problem,
			})
		})
	})
}

/**
 * The emulator's time stamp counter is this machine's. A guest that measures it while this machine is busy may find a tenth of
 * it: its clock runs ten times too fast from then on, and every wait is over too soon.
 */
function clock() {
	const mhz = /^cpu MHz\s*:\s*([\d.]+)/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1]
	return mhz === undefined ? '' : `tsc_early_khz=${Math.round(Number(mhz) * 1000)}`
}

/** The last lines of the guest's console, and what the emulator itself complained of. */
function consoleEnd(path, errors) {
	const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
	const plain = text.replace(/\x1b\[[0-9;?]*[A-Za-z]|\x1bc|\r/g, '')
	return [...plain.split('\n'), ...errors.split('\n')]
		.filter((line) => line.trim() !== '')
		.slice(-CONSOLE_LINES)
}
