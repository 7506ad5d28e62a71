// A device of your own for the command line: reading port 0xD1 throws a die.
// terrarium run docs/examples/throw.S --device docs/examples/dice.mjs

/** @returns {import('terrarium-vm').Device} */
export default function dice() {
  let inputs;
  return {
    name: 'dice',
    ports: [{ first: 0xd1, count: 1, width: 1 }],
    attach(host) {
      inputs = host.inputs;
    },
    // The dice are an input from outside the machine: it passes the gate, where it can be recorded.
    readPort: () => inputs.ask('throw', () => 1 + Math.floor(Math.random() * 6)),
  };
}
