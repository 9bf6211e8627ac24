// Tables that can be sorted, searched and filtered, and sliders for the list. Everything else in the
// page works without this script.
const dark = matchMedia("(prefers-color-scheme: dark)");
const setTheme = () => document.documentElement.classList.toggle("dark", dark.matches);
dark.addEventListener("change", setTheme);
setTheme();

for (const table of document.querySelectorAll("table[data-shown]")) {
  const shown = Number(table.dataset.shown);
  table.closest(".long").classList.remove("long");
  table.querySelectorAll("tr.unprinted").forEach((row) => row.classList.remove("unprinted"));
  const options = [...table.querySelectorAll("th[data-filter]")].map((head) => head.cellIndex);
  new DataTable(table, {
    order: [],
    autoWidth: false,
    pageLength: shown,
    lengthMenu: [shown, 50, 100, { label: "all", value: -1 }],
    columnDefs: [{ targets: options, columnControl: [["searchList"]] }],
    language: { search: "Search:", lengthMenu: "_MENU_ rows", info: "_START_ to _END_ of _TOTAL_ rows" },
  });
}

const dollars = (value) =>
  (value < 0 ? "\u2212" : "") + "$" + Math.abs(Math.round(value)).toLocaleString("en-US");
const count = (value) => Math.round(value).toLocaleString("en-US");
for (const form of document.querySelectorAll("form.sliders")) {
  const curve = JSON.parse(form.dataset.curve);
  const all = curve[curve.length - 1];
  const update = () => {
    for (const slider of form.querySelectorAll("input")) {
      slider.previousElementSibling.value =
        slider.dataset.unit === "%" ? `${slider.value}\u00a0%` : `$${slider.value}`;
    }
    const [cost, success, value] = ["cost", "success", "value"].map((name) => Number(form.elements[name].value));
    const kept = (success / 100) * value; // dollars that contacting a churner gains
    const listed = curve.filter(([, , probability]) => probability * kept >= cost);
    const [contacted, churned] = listed.length ? listed[listed.length - 1] : [0, 0];
    const stay = (churned * success) / 100;
    form.querySelector("[role=status]").textContent =
      `Contact the ${count(contacted)} of ${count(all[0])} customers with a probability of at least ` +
      `${((100 * cost) / kept).toPrecision(2)}\u00a0%: they held ${count(churned)} of ${count(all[1])} ` +
      `who left, ${count(stay)} would have stayed, and the gain would have been ` +
      `${dollars(stay * value - cost * contacted)} after ${dollars(cost * contacted)} of cost.`;
  };
  form.addEventListener("input", update);
  form.hidden = false;
  update();
}
