/** The words of a command line, as a shell and iptables-restore split them. */
import { InvalidArgumentError } from '../../errors.ts'

/** White space separates; quotes of either kind and backslashes keep it. Throws InvalidArgumentError for an open quote. */
export function splitWords(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const char = line[at] ?? ''
    if (char === '\\' && quote !== "'" && at + 1 < line.length) word = (word ?? '') + (line[++at] ?? '')
    else if (quote !== '') {
      if (char === quote) quote = ''
      else word += char
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + char
  }
  if (quote !== '') throw new InvalidArgumentError('rule', line, `every ${quote} closed`)
  return word === undefined ? words : [...words, word]
}
