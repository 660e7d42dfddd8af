/**
 * How many times longer than on a machine of today things may take: scripts/vm sets it, where the processor is emulated.
 * For limits of time, never for what is measured.
 */
export const patience = Number(process.env['VIRBR_TEST_PATIENCE'] ?? 1)
