/** The bundler takes style sheets out of the page's code. */
declare module '*.css';
