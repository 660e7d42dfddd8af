/** Runs the benchmarks: every file of bench/jobs, whose default export is a Job or several. scripts/bench starts it. */
import { readdir, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { Job, JobResult } from './support/job.ts'
import { measure } from './support/measure.ts'
import { formatResults, formatTable } from './support/table.ts'

const { values } = parseArgs({
  options: {
    job: { type: 'string', multiple: true },
    json: { type: 'string' },
    rounds: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
})

async function loadJobs(): Promise<Job[]> {
  const folder = new URL('./jobs/', import.meta.url)
  const files = (await readdir(folder)).filter(name => /(?<!\.d)\.[jt]s$/.test(name)).sort()
  type JobModule = { default: Job | Job[] }
  const modules = await Promise.all(files.map(name => import(new URL(name, folder).href) as Promise<JobModule>))
  return modules.flatMap(module => module.default)
}

function chosen(jobs: readonly Job[], names: readonly string[] | undefined): readonly Job[] {
  if (names === undefined) return jobs
  const known = jobs.map(job => job.name)
  const unknown = names.filter(name => !known.includes(name))
  if (unknown.length > 0) throw new Error(`no job ${unknown.join(', ')}; there are: ${known.join(', ')}`)
  return jobs.filter(job => names.includes(job.name))
}

async function runJob(job: Job, rounds: number | undefined): Promise<JobResult | undefined> {
  const contenders = await job.open()
  if ('skip' in contenders) {
    console.error(`${job.name}: skipped, ${contenders.skip}`)
    return undefined
  }
  try {
    return await measure(job, contenders, { rounds })
  } finally {
    await contenders.close?.()
  }
}

const jobs = chosen(await loadJobs(), values.job)
const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0)) {
  throw new Error('--rounds takes a whole number above 0')
}

if (values.list) {
  console.log(formatTable(jobs.map(job => [job.name, job.about])))
} else {
  const results: JobResult[] = []
  for (const job of jobs) {
    console.error(`${job.name}: ${job.about}`)
    const result = await runJob(job, rounds)
    if (result !== undefined) results.push(result)
  }
  console.log(formatResults(results))
  if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(results, null, 2)}\n`)
}
