/** INT 10h AH=10h: the palette's registers and the DAC's colours. */

import type { Frame } from '../../frame.js';
import { linear } from '../../guest.js';
import type { BiosFunction, Pc } from '../../pc.js';
import { greyOf } from './colours.js';
import { VgaPorts } from './vga-ports.js';

const ATTRIBUTE_MODE = 0x10;
const BORDER = 0x11;
const COLOUR_SELECT = 0x14;

const subfunctions: Record<
  number,
  readonly [says: string, run: (frame: Frame, pc: Pc, ports: VgaPorts) => void]
> = {
  0: ['set a palette register', ({ bl, bh }, _, ports) => ports.attribute(bl & 0x1f, bh)],
  1: ['set the border’s colour', ({ bh }, _, ports) => ports.attribute(BORDER, bh)],
  2: [
    'set the palette and the border',
    ({ es, dx }, { guest }, ports) => {
      for (let i = 0; i <= 16; i++) ports.attribute(i, guest.read8(linear(es, dx) + i));
    },
  ],
  3: [
    'bit 7 of an attribute: blinking or brightness',
    ({ bl }, _, ports) =>
      ports.attribute(ATTRIBUTE_MODE, (ports.getAttribute(ATTRIBUTE_MODE) & ~8) | ((bl & 1) << 3)),
  ],
  7: [
    'read a palette register',
    (frame, _, ports) => {
      frame.bh = ports.getAttribute(frame.bl & 0x1f);
    },
  ],
  8: [
    'read the border’s colour',
    (frame, _, ports) => {
      frame.bh = ports.getAttribute(BORDER);
    },
  ],
  9: [
    'read the palette and the border',
    ({ es, dx }, { guest }, ports) => {
      for (let i = 0; i <= 16; i++) guest.write8(linear(es, dx) + i, ports.getAttribute(i));
    },
  ],
  16: ['set a colour', ({ bx, dh, ch, cl }, _, ports) => ports.colour(bx & 0xff, dh, ch, cl)],
  18: [
    'set colours',
    ({ bx, cx, es, dx }, { guest }, ports) => {
      for (let i = 0; i < Math.min(cx, 256); i++) {
        const at = linear(es, dx) + i * 3;
        ports.colour((bx + i) & 0xff, guest.read8(at), guest.read8(at + 1), guest.read8(at + 2));
      }
    },
  ],
  19: [
    'choose a part of the colours',
    ({ bl, bh }, _, ports) => {
      const mode = ports.getAttribute(ATTRIBUTE_MODE);
      if (bl === 0) ports.attribute(ATTRIBUTE_MODE, (mode & 0x7f) | ((bh & 1) << 7));
      else if (bl === 1) ports.attribute(COLOUR_SELECT, mode & 0x80 ? bh & 0x0f : (bh & 3) << 2);
    },
  ],
  21: [
    'read a colour',
    (frame, _, ports) => {
      const [red, green, blue] = ports.getColour(frame.bl);
      frame.dh = red;
      frame.ch = green;
      frame.cl = blue;
    },
  ],
  23: [
    'read colours',
    ({ bx, cx, es, dx }, { guest }, ports) => {
      for (let i = 0; i < Math.min(cx, 256); i++)
        guest.write(linear(es, dx) + i * 3, Uint8Array.from(ports.getColour((bx + i) & 0xff)));
    },
  ],
  24: ['set the DAC’s mask', ({ bl }, pc) => pc.bus.out(0x3c6, 1, bl)],
  25: [
    'read the DAC’s mask',
    (frame, pc) => {
      frame.bl = pc.bus.in(0x3c6, 1);
    },
  ],
  26: [
    'which part of the colours?',
    (frame, _, ports) => {
      const select = ports.getAttribute(COLOUR_SELECT);
      const sixteen = (ports.getAttribute(ATTRIBUTE_MODE) & 0x80) !== 0;
      frame.bl = sixteen ? 1 : 0;
      frame.bh = sixteen ? select & 0x0f : (select >> 2) & 3;
    },
  ],
  27: [
    'make colours grey',
    ({ bx, cx }, _, ports) => {
      for (let i = 0; i < Math.min(cx, 256); i++) {
        const grey = greyOf(...ports.getColour((bx + i) & 0xff));
        ports.colour((bx + i) & 0xff, grey, grey, grey);
      }
    },
  ],
};

export const palette: BiosFunction = {
  says: ({ al }) => subfunctions[al]?.[0] ?? 'an unknown function of the palette',
  gives: () => '',
  run(frame, pc) {
    subfunctions[frame.al]?.[1](frame, pc, new VgaPorts(pc.bus));
  },
};
