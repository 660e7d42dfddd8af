/** Small XML documents, written: domain interfaces, network ports. */
import { InvalidArgumentError } from '../errors.ts'
import { freeText } from '../network/codecs.ts'
import { escapeText } from '../network/dom.ts'

type Value = string | number | boolean | undefined

/** Refuses what XML cannot hold. */
function checked(text: string): string {
  if (freeText.parse(text) === undefined) throw new InvalidArgumentError('xml', text, freeText.accepted)
  return text
}

/** `yes` and `no` stand for booleans; an attribute or child that is undefined is left out. */
export function element(name: string, attributes: Readonly<Record<string, Value>>, ...children: (string | undefined)[]): string {
  const written = Object.entries(attributes).map(([key, value]) => {
    if (value === undefined) return ''
    return ` ${key}='${escapeText(checked(typeof value === 'boolean' ? value ? 'yes' : 'no' : String(value)))}'`
  })
  const start = `<${name}${written.join('')}`
  const inner = children.join('')
  return inner === '' ? `${start}/>` : `${start}>${inner}</${name}>`
}

/** An element that holds only text; none if the text is undefined. */
export function textElement(name: string, text: string | undefined): string | undefined {
  return text === undefined ? undefined : `<${name}>${escapeText(checked(text), 'text')}</${name}>`
}
