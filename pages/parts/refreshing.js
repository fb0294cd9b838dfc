// Asks for the next drawing when its time has come, or, in a tab that nobody looks at, when somebody looks again.
const ends = new WeakMap();

export default function ({ data, parentElement, setTriggerValue }) {
  const end = () => ends.get(parentElement)?.();
  const ask = () => {
    if (document.hidden) return;
    end();
    setTriggerValue("due", true);
  };
  const wait = () => {
    document.addEventListener("visibilitychange", ask);
    ask();
  };
  end();
  const timer = setTimeout(wait, 1000 * data.seconds);
  ends.set(parentElement, () => {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", ask);
  });
  return end;
}
