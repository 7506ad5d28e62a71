// A device of one's own for the command line: reading port 0xD1 throws a die.
// terrarium run docs/examples/throw.S --device docs/examples/dice.mjs

/** @returns {import('terrarium-vm').Device} */
export default function dice() {
  return {
    name: 'dice',
    ports: [{ first: 0xd1, count: 1, width: 1 }],
    readPort: () => 1 + Math.floor(Math.random() * 6),
  };
}
