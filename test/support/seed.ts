/** The seed of random tests: the same in every run of the suite; VIRBR_TEST_SEED= takes another, by chance (empty) or by number. */
export function seedOf(usual: number): { seed?: number } {
  const given = process.env['VIRBR_TEST_SEED']
  if (given === undefined) return { seed: usual }
  return given === '' ? {} : { seed: Number(given) }
}
