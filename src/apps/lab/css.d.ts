/** The bundler removes style sheets from the page's code. */
declare module '*.css';
