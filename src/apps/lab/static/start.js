// Before anything is drawn: the theme; and on a host that sends no isolation headers, the service worker that adds them.
try {
  const theme = localStorage.getItem('lab.theme');
  if (theme === 'dark' || theme === 'light') document.documentElement.dataset.theme = theme;
} catch {
  // storage is refused
}
if (!window.crossOriginIsolated && window.isSecureContext && navigator.serviceWorker) {
  const tried = 'lab.isolate';
  navigator.serviceWorker
    .register('isolate.js')
    .then(() => navigator.serviceWorker.ready)
    .then(() => {
      // Once: a browser that refuses isolation even so is told by the page.
      if (sessionStorage.getItem(tried)) return;
      sessionStorage.setItem(tried, '1');
      location.reload();
    })
    .catch(() => {});
}
