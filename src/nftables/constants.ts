/** Constants of nf_tables, named as in the kernel headers and checked against them by test/netlink/constants.test.ts. */
export * from './constants/compat.ts'
export * from './constants/expressions.ts'
export * from './constants/messages.ts'
export * from './constants/ruleset.ts'
