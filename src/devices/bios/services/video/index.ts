/** INT 10h: video. */
import type { BiosService } from '../../pc.js';
import { fonts } from './fonts.js';
import { alternate, display, saveState, state } from './information.js';
import { palette } from './palette.js';
import { textFunctions } from './text.js';
import { vbe } from './vbe.js';

export const video: BiosService = {
  name: 'int 10h',
  functions: {
    ...textFunctions,
    16: palette,
    17: fonts,
    18: alternate,
    26: display,
    27: state,
    28: saveState,
    79: vbe,
  },
};
