/** Registers of the 82540EM, by the names of Intel's manual (8254x Family Software Developer's Manual, 317453, chapter 13). */
export const Register = {
  ctrl: 0x0000,
  status: 0x0008,
  eecd: 0x0010,
  eerd: 0x0014,
  ctrlExt: 0x0018,
  mdic: 0x0020,
  fcal: 0x0028,
  fcah: 0x002c,
  fct: 0x0030,
  vet: 0x0038,
  icr: 0x00c0,
  itr: 0x00c4,
  ics: 0x00c8,
  ims: 0x00d0,
  imc: 0x00d8,
  rctl: 0x0100,
  fcttv: 0x0170,
  tctl: 0x0400,
  tipg: 0x0410,
  ait: 0x0458,
  ledctl: 0x0e00,
  pba: 0x1000,
  fcrtl: 0x2160,
  fcrth: 0x2168,
  rdbal: 0x2800,
  rdbah: 0x2804,
  rdlen: 0x2808,
  rdh: 0x2810,
  rdt: 0x2818,
  rdtr: 0x2820,
  rxdctl: 0x2828,
  radv: 0x282c,
  rsrpd: 0x2c00,
  tdbal: 0x3800,
  tdbah: 0x3804,
  tdlen: 0x3808,
  tdh: 0x3810,
  tdt: 0x3818,
  tidv: 0x3820,
  txdctl: 0x3828,
  tadv: 0x382c,
  tspmt: 0x3830,
  gprc: 0x4074,
  gptc: 0x4080,
  tpr: 0x40d0,
  tpt: 0x40d4,
  rxcsum: 0x5000,
  wuc: 0x5800,
  wufc: 0x5808,
  manc: 0x5820,
} as const;

/** Tables: their first register, and how many there are. */
export const MTA = { first: 0x5200, count: 128 } as const;
export const RA = { first: 0x5400, count: 32 } as const;
export const VFTA = { first: 0x5600, count: 128 } as const;
/** Counters that are not kept read as 0. */
export const STATISTICS = { first: 0x4000, last: 0x4124 } as const;
export const MEMORY_SIZE = 0x2_0000;
export const PORTS = 64;

export const Ctrl = { setLinkUp: 1 << 6, reset: 1 << 26, phyReset: 2 ** 31 } as const;
/** Full duplex, link up, 1000 Mb/s. */
export const STATUS_UP = 0x83;
export const Cause = {
  transmitted: 1 << 0,
  queueEmpty: 1 << 1,
  linkChanged: 1 << 2,
  lowDescriptors: 1 << 4,
  overrun: 1 << 6,
  received: 1 << 7,
  mdio: 1 << 9,
} as const;
export const CAUSES = 0x1_ffff;
export const Rctl = {
  enable: 1 << 1,
  allUnicast: 1 << 3,
  allMulticast: 1 << 4,
  long: 1 << 5,
  broadcast: 1 << 15,
  stripCrc: 1 << 26,
} as const;
export const TCTL_ENABLE = 1 << 1;
export const ADDRESS_VALID = 2 ** 31;

/** Registers that keep the written value, or these bits of it. */
export const plain: ReadonlyMap<number, number> = new Map<number, number>([
  [Register.ctrl, 0x7bff_ffff],
  [Register.ctrlExt, 0xffff_ffff],
  [Register.fcal, 0xffff_ffff],
  [Register.fcah, 0xffff],
  [Register.fct, 0xffff],
  [Register.vet, 0xffff],
  [Register.itr, 0xffff],
  [Register.rctl, 0xffff_ffff],
  [Register.fcttv, 0xffff],
  [Register.tctl, 0xffff_ffff],
  [Register.tipg, 0x3fff_ffff],
  [Register.ait, 0xffff],
  [Register.ledctl, 0xffff_ffff],
  [Register.pba, 0xffff_ffff],
  [Register.fcrtl, 0x8000_fff8],
  [Register.fcrth, 0xfff8],
  [Register.rdbal, 0xffff_fff0],
  [Register.rdbah, 0xffff_ffff],
  [Register.rdlen, 0xf_ff80],
  [Register.rdh, 0xffff],
  [Register.rdt, 0xffff],
  [Register.rdtr, 0xffff],
  [Register.rxdctl, 0xffff_ffff],
  [Register.radv, 0xffff],
  [Register.rsrpd, 0xfff],
  [Register.tdbal, 0xffff_fff0],
  [Register.tdbah, 0xffff_ffff],
  [Register.tdlen, 0xf_ff80],
  [Register.tdh, 0xffff],
  [Register.tdt, 0xffff],
  [Register.tidv, 0xffff],
  [Register.txdctl, 0xffff_ffff],
  [Register.tadv, 0xffff],
  [Register.tspmt, 0xffff_ffff],
  [Register.gprc, 0],
  [Register.gptc, 0],
  [Register.tpr, 0],
  [Register.tpt, 0],
  [Register.rxcsum, 0x7ff],
  [Register.wuc, 0xf],
  [Register.wufc, 0xf_00ff],
  [Register.manc, 0xffff_ffff],
]);
