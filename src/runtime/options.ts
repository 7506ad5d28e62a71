/**
 * What programs give beside a machine's description, checked: an unknown name or a value of another kind is refused by name.
 *
 * @module
 */
import { type Image, parseImage } from '../boot/index.js';
import { type Kind, type MachineSpec, type OtherKeys, readFields } from '../config/index.js';
import { ConfigError } from '../errors.js';
import { loadImage } from './images/image-file.js';

/** A file (image, source or guest folder), an image's bytes, or a parsed image. */
export type ImageSource = string | Uint8Array | Image;

/** A kind of live values, which have no text. */
function live<T>(what: string, is: (value: unknown) => boolean): Kind<unknown> {
  return {
    what,
    is: (value): value is T => is(value),
    parse: (text) => text,
    write: String,
    schema: {},
  };
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null;
export const callable = live('a function', (value) => typeof value === 'function');
export const object = live('an object', isObject);
export const objects = live('a list of objects', (value) => Array.isArray(value) && value.every(isObject));
export const imageSource = live(
  'a path, the bytes of an image, or what parseImage returns',
  (value) =>
    typeof value === 'string' ||
    (isObject(value) && (value instanceof Uint8Array || 'segments' in (value as object))),
);

/** A program's object taken apart: the machine's description, its image, and the rest. */
export interface ReadOptions {
  spec: MachineSpec;
  image: Image;
  others: Record<string, unknown>;
}

/**
 * Takes a program's object apart and opens its image.
 * @param caller for errors
 * @param keys what it may hold beside the machine's fields and `image`
 * @throws ConfigError for an unknown name, a value of another kind, or no image
 */
export function readOptions(options: unknown, caller: string, keys: OtherKeys): ReadOptions {
  const place = `${caller}: `;
  const { spec, others } = readFields(options, { place, others: { image: imageSource, ...keys } });
  const { image, ...rest } = others;
  return { ...openImage(image as ImageSource | undefined, spec, place), others: rest };
}

function openImage(
  image: ImageSource | undefined,
  spec: MachineSpec,
  place: string,
): { spec: MachineSpec; image: Image } {
  if (image === undefined)
    throw new ConfigError(
      `${place}there is no "image"`,
      'give a path, the bytes of an image, or what parseImage returns',
    );
  if (typeof image === 'string') return loadImage(image, spec);
  return { spec, image: image instanceof Uint8Array ? parseImage(image, 'image') : image };
}
