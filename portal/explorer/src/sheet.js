// SPDX-License-Identifier: EUPL-1.2

// Stands in for react-style-singleton, which dialogs and menus lock the page with. That package writes a style element, which the
// content policy refuses; a constructed sheet does the same and is the script's own doing.
import { useInsertionEffect } from 'react';

export function styleSingleton() {
  return function Sheet({ styles }) {
    useInsertionEffect(() => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(styles);
      document.adoptedStyleSheets.push(sheet);
      return () => {
        document.adoptedStyleSheets = document.adoptedStyleSheets.filter((s) => s !== sheet);
      };
    }, [styles]);
    return null;
  };
}
