// On a phone each row of a table stands as a block of its own (tables.css); what its column is called then stands before a cell.
for (const table of document.querySelectorAll(".content table")) {
    const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent);
    for (const row of table.querySelectorAll("tbody tr")) {
        [...row.cells].forEach((cell, column) => {
            if (column > 0 && heads[column]) {
                cell.dataset.head = `${heads[column]}: `;
            }
        });
    }
}
