// Registered commands as things to pick and fill in. No DOM.

const SUBCOMMAND = 1;
const GROUP = 2;

/** Every slash command one can type, subcommands as commands of their own. */
export function typable(commands) {
  return commands
    .filter((command) => (command.type ?? 1) === 1)
    .flatMap((command) => entries(command, command, []));
}

/** The commands in a message's menu. */
export function messageCommands(commands) {
  return commands.filter((command) => command.type === 3);
}

function entries(command, part, path) {
  const options = part.options ?? [];
  const branches = options.filter((option) => option.type === SUBCOMMAND || option.type === GROUP);
  if (branches.length)
    return branches.flatMap((branch) => entries(command, branch, [...path, branch]));
  return [
    {
      command,
      path,
      name: [command.name, ...path.map((branch) => branch.name)].join(" "),
      description: part.description ?? command.description,
      options: [...options].sort(
        (a, b) => Number(b.required ?? false) - Number(a.required ?? false),
      ),
    },
  ];
}

/** The best matches first: beginnings, then word beginnings, then anywhere, then descriptions. */
export function matching(list, typed) {
  const query = typed.trim().toLowerCase();
  if (!query) return list;
  const rank = ({ name, description }) => {
    const word = name.toLowerCase();
    if (word.startsWith(query)) return 0;
    if (word.split(/[ _-]/u).some((part) => part.startsWith(query))) return 1;
    if (word.includes(query)) return 2;
    return (description ?? "").toLowerCase().includes(query) ? 3 : -1;
  };
  return list
    .map((entry, i) => ({ entry, i, rank: rank(entry) }))
    .filter((item) => item.rank >= 0)
    .sort((a, b) => a.rank - b.rank || a.i - b.i)
    .map((item) => item.entry);
}

/** The command that a typed line begins with, and the rest of the line. */
export function typedCommand(list, line) {
  const text = line.replace(/^\//u, "");
  const found = list
    .filter((entry) => text === `${entry.name} ` || text.startsWith(`${entry.name} `))
    .sort((a, b) => b.name.length - a.name.length)[0];
  return found ? { entry: found, rest: text.slice(found.name.length + 1) } : null;
}
