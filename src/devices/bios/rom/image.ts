/** The BIOS’s code as `npm run bios-rom` builds it from bios.S. Not to be changed by hand. */

/** Offsets in segment F000, and the bytes from there on in base 64; between them are zeros. */
export const pieces: readonly (readonly [offset: number, length: number, text: string])[] = [
  [
    0xd000,
    2607,
    '9PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P' +
      'T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0' +
      '9PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09P' +
      'T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09GgAAun6BWgBAun0BWgCAunuBWgDAunoBWgEAuniBWgFAuncBWgG' +
      'AunWBWgHAunQBWgIAunKBWgJAunEBWgKAum+BWgLAum4BWgMAumyBWgNAumsBWgOAummBWgPAumgBWgQAumaBWgRAumUBWgSAu' +
      'mOBWgTAumIBWgUAumCBWgVAul8BWgWAul2BWgXAulwBWgYAulqBWgZAulkBWgaAuleBWgbAulYBWgcAulSBWgdAulMBWgeAulG' +
      'BWgfAulABWggAuk6BWghAuk0BWgiAukuBWgjAukoBWgkAukiBWglAukcBWgmAukWBWgnAukQBWgoAukKBWgpAukEBWgqAun+BG' +
      'grAun4BGgsAunyBGgtAunsBGguAunmBGgvAungBGgwAunaBGgxAunUBGgyAunOBGgzAunIBGg0AunCBGg1Aum8BGg2Aum2BGg3' +
      'AumwBGg4AumqBGg5AumkBGg6AumeBGg7AumYBGg8AumSBGg9AumMBGg+AumGBGg/AumABGhAAul6BGhBAul0BGhCAuluBGhDAu' +
      'loBGhEAuliBGhFAulcBGhGAulWBGhHAulQBGhIAulKBGhJAulEBGhKAuk+BGhLAuk4BGhMAukyBGhNAuksBGhOAukmBGhPAukg' +
      'BGhQAukaBGhRAukUBGhSAukOBGhTAukIBGhUAukCBGhVAun8A2hWAun2A2hXAunwA2hYAunqA2hZAunkA2haAuneA2hbAunYA2' +
      'hcAunSA2hdAunMA2heAunGA2hfAunAA2hgAum6A2hhAum0A2hiAumuA2hjAumoA2hkAumiA2hlAumcA2hmAumWA2hnAumQA2ho' +
      'AumKA2hpAumEA2hqAul+A2hrAul4A2hsAulyA2htAulsA2huAulmA2hvAulgA2hwAulaA2hxAulUA2hyAulOA2hzAulIA2h0Au' +
      'lCA2h1Auk8A2h2Auk2A2h3AukwA2h4AukqA2h5AukkA2h6AukeA2h7AukYA2h8AukSA2h9AukMA2h+AukGA2h/AukAA2iAAun6' +
      'AmiBAun0AmiCAunuAmiDAunoAmiEAuniAmiFAuncAmiGAunWAmiHAunQAmiIAunKAmiJAunEAmiKAum+AmiLAum4AmiMAumyAm' +
      'iNAumsAmiOAummAmiPAumgAmiQAumaAmiRAumUAmiSAumOAmiTAumIAmiUAumCAmiVAul8AmiWAul2AmiXAulwAmiYAulqAmiZ' +
      'AulkAmiaAuleAmibAulYAmicAulSAmidAulMAmieAulGAmifAulAAmigAuk6AmihAuk0AmiiAukuAmijAukoAmikAukiAmilAu' +
      'kcAmimAukWAminAukQAmioAukKAmipAukEAmiqAun+AWirAun4AWisAunyAWitAunsAWiuAunmAWivAungAWiwAunaAWixAunU' +
      'AWiyAunOAWizAunIAWi0AunCAWi1Aum8AWi2Aum2AWi3AumwAWi4AumqAWi5AumkAWi6AumeAWi7AumYAWi8AumSAWi9AumMAW' +
      'i+AumGAWi/AumAAWjAAul6AWjBAul0AWjCAuluAWjDAuloAWjEAuliAWjFAulcAWjGAulWAWjHAulQAWjIAulKAWjJAulEAWjK' +
      'Auk+AWjLAuk4AWjMAukyAWjNAuksAWjOAukmAWjPAukgAWjQAukaAWjRAukUAWjSAukOAWjTAukIAWjUAukCAWjVAun8AGjWAu' +
      'n2AGjXAunwAGjYAunqAGjZAunkAGjaAuneAGjbAunYAGjcAunSAGjdAunMAGjeAunGAGjfAunAAGjgAum6AGjhAum0AGjiAumu' +
      'AGjjAumoAGjkAumiAGjlAumcAGjmAumWAGjnAumQAGjoAumKAGjpAumEAGjqAul+AGjrAul4AGjsAulyAGjtAulsAGjuAulmAG' +
      'jvAulgAGjwAulaAGjxAulUAGjyAulOAGjzAulIAGj0AulCAGj1Auk8AGj2Auk2AGj3AukwAGj4AukqAGj5AukkAGj6AukeAGj7' +
      'AukYAGj8AukSAGj9AukMAGj+AukGAGj/AukAAGZgHgZqAIzQZsHgEIngugWxZu+J5YB+AAF0C4PEAgcfZmGDxALP+/T669v6/D' +
      'HAjtCO2LwAfLAR5iDmoLAI5iGwcOahsATmIbAC5qGwAeYh5qGwuOYhsI/mobrRBLAM7rA25kMwwOZA5kCcDmh012gAAeuMzRnr' +
      'GbsZAOsDuxgA+jHAjtC8AHycDmiR11Ppb//79Ov8HlC4QACO2Gb/BmwAZoE+bACwABgAcg1mxwZsAAAAAAD+BnAAgD5AAAB0BP' +
      '4OQABSzRxasCDmIFgfz1DkYLRP+c0VcwecDugaAOsCMMCIxLAg5iCA/AV1As0FgPwbdQLNG1jPagnpA/8eULhAAI7YgA4+AICw' +
      'IOYgWB/PUJwO6BEAiMSwIOag5iCA/Ep1As1KWM9qcOnU/lCwIOagWM0Kz2ZgHgacDuggAITkdBEw5FZTUWoADmhQ2AZXy4PECL' +
      'Ag5qDmIAcfZmHPanTpnf5QMMDm8LAg5qDmIFjNAs8eULhAAI7YxgaOAP+wIOag5iBYH89QsCDmoOYgWM9QsAvmIOQgqAR0BrAg' +
      '5iBYz1jqCtAA8FCwC+Yg5CCoCHQGsCDmIFjPWOoL0ADwULAL5iDkIKgQdAawIOYgWM9Y6gzQAPBQsAvmIOQgqCB0BrAg5iBYz1' +
      'jqDdAA8FCwIOYgWM8eZlCMyIPACI7YZlicZqPOAGaJDsoAZokWxgBmiR7CAGaJLroAZok2tgBmiT6yAGbHBqwAAAAAAMcGsAAA' +
      'AMcG0gAVAGbHBtQAAAAAAMcG2AAAAGa4rABAALoFsWbvgD6sAAF1Bfv0+uvpnQ+6JtgAAGaLNrYAZos+sgBmix7CAGaLFsYAZo' +
      'sOygBmoc4AH8seUGaMyGaDwBCO2Fico84AAACJDcoAAACJFcYAAACJHcIAAACJLboAAACJNbYAAACJPbIAAADHBawAAAAAAAAA' +
      'ZscFsAAAAAAAZscF0gAAABUAxwXUAAAAAAAAAGbHBdgAAAAAALisAEAAZroFse+APawAAAABdQX79Prr6J1mD7ol2AAAAACLNb' +
      'YAAACLPbIAAACLHcIAAACLFcYAAACLDcoAAAChzgAAAB/L',
  ],
  [0xe05b, 3, '6c32'],
  [0xe2c3, 1, 'zw=='],
  [0xe3fe, 5, 'ahPp/fI='],
  [0xe6f2, 17, '6YPwCAD8AAF0QAAAAADpevA='],
  [0xe739, 5, 'ahTpwu8='],
  [0xe82e, 5, 'ahbpze4='],
  [0xe987, 3, '6UXu'],
  [0xec59, 5, 'akDpouo='],
  [0xef57, 3, '6aPo'],
  [0xefc7, 16, 'rwIlAhIb/2z2DwhqF+kp5w=='],
  [0xf065, 5, 'ahDpluY='],
  [
    0xf0a4,
    88,
    'OCgtCh8GGRwCBwYHAAAAAHFQWgofBhkcAgcGBwAAAAA4KC0KfwZkcAIBBgcAAAAAYVBSDxkGGRkCDQsMAAAAAAAIABAAQABAKC' +
      'hQUCgoUFAsKC0pKi4eKQ==',
  ],
  [0xf841, 29, 'ahLput4AAAAAAAAAahHprt4AAAAAAAAAahXpot4='],
  [0xfe6e, 5, 'ahrpjdg='],
  [0xfea5, 3, '6e3Y'],
  [0xff53, 6, 'z2oF6afX'],
  [0xfff0, 15, '6lvgAPAxMS8zMC8yNgD8'],
];

/** Offsets of entries that have no fixed place on an AT. */
export const labels = {
  unserved: 0xd100,
  start_nothing: 0xd77d,
  irq8: 0xd810,
  irq9: 0xd82c,
  irq12: 0xd835,
  irq13: 0xd863,
  irq14: 0xd872,
  irq_of_second: 0xd887,
  irq2: 0xd890,
  irq3: 0xd8a7,
  irq4: 0xd8be,
  irq5: 0xd8d5,
  irq7: 0xd8ec,
  apm16: 0xd8f3,
  apm32: 0xd983,
} as const;

/** The code at the start of the VGA’s ROM. */
export const vgaCode = {
  length: 74,
  text:
    'VaoA6w8AAAAAAAAAAAAAAGoQ6wucDugBAMtoAQHrAGZgHgZqAIzQZsHgEIngugWxZu+J5YB+AAF0C4PEAgcfZmGDxALP+/T669' +
    's=',
} as const;

/** VBE’s interface for protected mode. */
export const vbeCode = {
  length: 230,
  text:
    'CAAiAI0A2gBmhdt1EGCJ0LEF6KMAAABhZrhPAMNmuE8Bw/bDf3X2YA+38cHiEAnWsQbokwAAAInFsQPoigAAAIP4BHQhg8AHwe' +
    'gDiccPr+h0OI0EtQAAAAAx0vf1konTMdL39+sUwe0DdB+J8DHS9/WJw40E1QAAAACxCOg5AAAAidixCegwAAAAYeuL9sN/dYtg' +
    'D7fJ4xyJ0LrIAwAA7kImikcC7iaKRwHuJooH7oPHBOLtYele////ULrOAQAAD7bBZu9YQmbvw7rOAQAAD7bBZu9CMcBm7cPOAc' +
    '8ByAPJA/////8=',
} as const;
