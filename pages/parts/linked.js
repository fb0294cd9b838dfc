// When somebody changes a widget whose value Streamlit itself keeps in the address, it writes the new address over the
// entry in the browser's history. Here each change is an entry of its own, so that Back undoes it. Streamlit names the
// whole address then; where it puts an address right, after Back, it names the path alone, and writes over the entry.
export default function () {
  history.replaceState = (state, title, address) => {
    const method = URL.canParse(address) ? "pushState" : "replaceState";
    History.prototype[method].call(history, state, title, address);
  };
}
