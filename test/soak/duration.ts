/** How long each soak test of this run takes, in seconds: `npm run soak -- --minutes N` says it. */
export const soakSeconds = Number(process.env.TERRARIUM_SOAK_SECONDS ?? 600);
