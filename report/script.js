// Sorts a table by the column whose head is pressed, and hides the rows that do not have what is searched for.
const value = text => {
  if (text === '' || text === 'exact') return text === '' ? null : Infinity;
  const number = Number(text.replace(/^</, ''));
  return Number.isNaN(number) ? text : number;
};
const compare = (a, b) => (typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0) : typeof a === 'number' ? -1 : 1);
for (const table of document.querySelectorAll('table.sorts')) {
  for (const head of table.tHead.rows[0].cells) {
    head.querySelector('button').onclick = () => {
      const sign = head.getAttribute('aria-sort') === 'descending' ? 1 : -1;
      for (const other of table.tHead.rows[0].cells) other.removeAttribute('aria-sort');
      head.setAttribute('aria-sort', sign > 0 ? 'ascending' : 'descending');
      const key = row => value(row.cells[head.cellIndex].textContent);
      table.tBodies[0].append(...[...table.tBodies[0].rows].sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        return x === null || y === null ? (x === null) - (y === null) : sign * compare(x, y);
      }));
    };
  }
}
for (const field of document.querySelectorAll('input[type=search]')) {
  const rows = document.getElementById(field.dataset.table).tBodies[0].rows;
  field.oninput = () => {
    const words = field.value.toLowerCase().split(/\s+/);
    for (const row of rows) row.hidden = !words.every(word => row.textContent.toLowerCase().includes(word));
  };
}
