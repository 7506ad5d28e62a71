/** The duration of each soak test of this run, in seconds: set by `npm run soak -- --minutes N`. */
export const soakSeconds = Number(process.env.TERRARIUM_SOAK_SECONDS ?? 600);
