/** A picture that a device shows. The bytes are the device's own: use them before the next look. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Four bytes a pixel: red, green, blue, 255; rows from the top, without gaps. */
  readonly rgba: Uint8ClampedArray;
  /** The area that differs from the previous look; undefined where nothing does. */
  readonly changed: PictureArea | undefined;
  /** The picture's text, where it shows characters. */
  readonly text?: TextPicture;
}

/** A rectangle of pixels. */
export interface PictureArea {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The characters of a text mode. */
export interface TextPicture {
  readonly columns: number;
  readonly rows: number;
  /** Row by row: the character in code page 437, and its foreground and background in `palette` from bits 8 and 12 on. */
  readonly cells: Uint16Array;
  /** Sixteen colours, as `rgba` has them. */
  readonly palette: Uint8ClampedArray;
  /** The number of the cell with the cursor, -1 where none is visible. */
  readonly cursor: number;
}

/** The visible contents, without the work of a picture. */
export interface Glance {
  /** The characters of a text mode; missing where pixels are shown, and where all is `blank`. */
  readonly text?: TextPicture;
  /** It is a text screen as the machine starts with: there is nothing to be read. */
  readonly blank?: true;
  /** How often the guest wrote to addresses where the mode at that moment had no video memory. */
  readonly missed: number;
}

/** A view of a device's picture. */
export interface Screen {
  /**
   * @param now the moment in milliseconds for blinking; without it, everything that blinks is visible, so that a still
   * picture is always the same
   */
  look(now?: number): Picture;
  /** A thousandth of a look's work. */
  glance?(): Glance;
}
