import { dirname, relative, resolve } from 'node:path'
import tseslint from 'typescript-eslint'

/** The rooms of the source, and those below each: all that it may import. Top to bottom, as in the design. */
const ground = ['checks', 'errors', 'events', 'ip']
const wire = ['rtnetlink', 'netlink', 'binding', ...ground]
const below = {
  cli: ['index', 'connect', 'uplink', 'libvirt', 'kernel', 'ports', 'network', 'host', 'nftables', ...wire],
  index: ['connect', 'uplink', 'libvirt', 'kernel', 'ports', 'network', 'host', 'nftables', ...wire],
  connect: ['uplink', 'libvirt', 'kernel', 'ports', 'network', 'host', 'nftables', ...wire],
  uplink: ['network', 'host', 'nftables', ...wire],
  libvirt: ['ports', 'network', 'host', 'nftables', ...wire],
  kernel: ['ports', 'network', 'host', 'nftables', ...wire],
  ports: ['network', 'host', ...wire],
  network: ground,
  host: ['nftables', ...wire],
  nftables: ['netlink', 'binding', ...ground],
  rtnetlink: ['netlink', 'binding', ...ground],
  netlink: ['binding', ...ground],
  binding: ground,
  checks: ['errors'],
  ip: ['errors'],
  events: ['errors'],
  errors: [],
}

const root = import.meta.dirname

/** `/…/src/host/links.ts` → `host`, `/…/src/errors.ts` → `errors`, `/…/binding/index.ts` → `binding`; else undefined. */
function roomOf(path) {
  const [top, name] = relative(root, path).split('/')
  return top === 'binding' ? top : top === 'src' ? name?.replace(/\.[jt]s$/, '') : undefined
}

const layers = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      above: '{{room}} must not import {{other}}: each room imports only rooms below it (eslint.config.js)',
      unknown: '{{room}} is not a room of the design: give it a place in eslint.config.js',
    },
  },
  create(context) {
    const room = roomOf(context.filename)
    if (room === undefined) return {}
    const check = ({ source }) => {
      if (typeof source?.value !== 'string' || !source.value.startsWith('.')) return
      const other = roomOf(resolve(dirname(context.filename), source.value))
      if (other === undefined || other === room || below[room]?.includes(other)) return
      context.report({ node: source, messageId: 'above', data: { room, other } })
    }
    return {
      Program: node => { if (below[room] === undefined) context.report({ node, messageId: 'unknown', data: { room } }) },
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
    }
  },
}

export default tseslint.config(
  { ignores: ['node_modules/', 'build/', 'build-*/', 'dist/', 'prebuilds/', 'docs/', '.test/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
    plugins: { virbr: { rules: { layers } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'virbr/layers': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      'eqeqeq': 'error',
      'no-var': 'error',
      'prefer-const': 'error',
      'no-control-regex': 'error',
      'semi': ['error', 'never', { beforeStatementContinuationChars: 'always' }],
      'quotes': ['error', 'single', { avoidEscape: true, allowTemplateLiterals: true }],
      // The aim is 120; a table line may run over.
      'max-len': ['error', { code: 140, ignoreUrls: true, ignoreStrings: true, ignoreTemplateLiterals: true }],
      'max-lines': ['error', { max: 500 }],
    },
  },
)
