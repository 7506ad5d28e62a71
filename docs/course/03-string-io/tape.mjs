// A tape: each read of port 0x300 gives the next byte of a text.
const recorded = 'sixty-four bytes from a tape that never ends, over and over.....';

export default ({ text = recorded } = {}) => {
  let at = 0;
  return {
    name: 'tape',
    ports: [{ first: 0x300, count: 1, width: 1 }],
    readPort: () => text.charCodeAt(at++ % text.length),
  };
};
