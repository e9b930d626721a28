// Elements of the page and what all views show: bars, percentages, copies and downloads.

export const find = (id) => document.getElementById(id);
export const percent = (share) => `${(share * 100).toFixed(1)}%`;
export const isShown = (place, shown) => { place.hidden = !shown; };

export function element(tag, className, ...content) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.append(...content.filter((part) => part !== null && part !== undefined));
  return made;
}

// A bar of a share from 0 to 1, with a mark at a threshold if there is one.
export function bar(share, className, threshold) {
  const made = element("div", `bar ${className}`, element("i"));
  made.firstChild.style.width = `${Math.max(0, share) * 100}%`;
  if (threshold !== undefined) {
    made.append(element("b"));
    made.lastChild.style.left = `${threshold * 100}%`;
  }
  return made;
}

export function labelledBar(label, share, scale = 1) {
  return element("div", "labelled", element("span", "", label), bar(share / scale, "label"), element("span", "", percent(share)));
}

export async function copyText(content) {
  try {
    await navigator.clipboard.writeText(content);
  } catch (error) { // the page does not stand on a safe address
    const field = element("textarea");
    field.value = content;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
}

export function download(name, content) {
  const link = element("a");
  link.href = URL.createObjectURL(new Blob(["\ufeff", content], { type: "text/csv" })); // the mark tells Excel that it is UTF-8
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

// Characters as the service counts them: code points, not the halves of which JavaScript's strings consist.
export const characters = (content) => Array.from(content);
