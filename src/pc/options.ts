/**
 * Splits a program's object: the machine's description, its image, and the objects for it. An unknown name or a
 * value of another kind is refused by name.
 *
 * @module
 */
import { type Image, parseImage } from '../boot/index.js';
import { type Kind, type MachineSpec, type OtherKeys, readFields } from '../config/index.js';
import { ConfigError } from '../errors.js';

/** A file (image, source or guest folder), an image's bytes, or a parsed image. */
export type ImageSource = string | Uint8Array | Image;

/** Opens an image by its path: the host's business. What it finds there may say more of the machine. */
export type OpenImage = (path: string, asked: MachineSpec) => { image: Image; spec: MachineSpec };

/** A kind of live values, which have no text. */
function live(what: string, is: (value: unknown) => boolean): Kind<unknown> {
  return {
    what,
    is: (value): value is unknown => is(value),
    parse: (text) => text,
    write: String,
    schema: {},
  };
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null;
const isImage = (value: unknown) =>
  typeof value === 'string' ||
  value instanceof Uint8Array ||
  (isObject(value) && Array.isArray((value as Partial<Image>).segments));

export const callable = live('a function', (value) => typeof value === 'function');
export const object = live('an object', isObject);
export const objects = live('a list of objects', (value) => Array.isArray(value) && value.every(isObject));
export const texts = live(
  'a list of texts',
  (value) => Array.isArray(value) && value.every((one) => typeof one === 'string'),
);
export const addresses = live(
  'a list of addresses (BigInt)',
  (value) => Array.isArray(value) && value.every((one) => typeof one === 'bigint'),
);
const imageSource = live('a path, the bytes of an image, or what parseImage returns', isImage);

export interface ReadOptions {
  spec: MachineSpec;
  image: Image;
  others: Record<string, unknown>;
}

/**
 * Takes a program's object apart and opens its image.
 * @param caller for errors
 * @param keys the other keys that it may have, besides the machine's fields and `image`
 * @throws ConfigError for an unknown name, a value of another kind, or no image
 */
export function readOptions(
  options: unknown,
  caller: string,
  keys: OtherKeys,
  openImage: OpenImage,
): ReadOptions {
  const place = `${caller}: `;
  const { spec, others } = readFields(options, { place, others: { image: imageSource, ...keys } });
  const { image: source, ...rest } = others as { image?: ImageSource };
  if (source === undefined)
    throw new ConfigError(
      `${place}there is no "image"`,
      'give a path, the bytes of an image, or what parseImage returns',
    );
  if (typeof source === 'string') {
    const { image, spec: found } = openImage(source, spec);
    return { spec: found, image, others: rest };
  }
  const image = source instanceof Uint8Array ? parseImage(source, 'image', spec.as) : source;
  return { spec, image, others: rest };
}
