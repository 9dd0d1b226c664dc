using System.CommandLine;
using System.CommandLine.Completions;
using System.CommandLine.Parsing;

namespace EditorBridge.Cli;

/// <summary>Says in one sentence what is wrong with a command line, with the nearest word there is, and how to learn more.</summary>
internal static class CommandLineError
{
    // "brol" is near "broll"; a word half of whose letters differ is another word.
    private const int LettersPerMistake = 3;

    public static string Describe(ParseResult parsed)
    {
        var command = parsed.CommandResult.Command;
        var path = string.Join(' ', Path(parsed.CommandResult));
        return $"{Problem(parsed, command, path)} `{path} --help` says more.";
    }

    private static string Problem(ParseResult parsed, Command command, string path)
    {
        // A misspelt word says more than that another one is missing.
        if (parsed.UnmatchedTokens.Count > 0) return Unmatched(parsed.UnmatchedTokens[0], command, path);
        var error = parsed.Errors[0];
        return error.SymbolResult switch
        {
            CommandResult when command.Subcommands.Count > 0 => $"Say what to do: {path} {Listed(command.Subcommands.Select(c => c.Name))}.",
            OptionResult { IdentifierToken: null, Option: var option } => $"{option.Name}{(option.HelpName is { } name ? " " + name : "")} is missing.",
            OptionResult { Tokens.Count: 0, Option: var option } => $"{option.Name} needs a value{(option.HelpName is { } name ? $", {name}" : "")}.",
            OptionResult { Option: var option } result => Value(option.Name, option.ValueType, option.GetCompletions(CompletionContext.Empty).Select(c => c.Label), result.Tokens[^1].Value, error.Message),
            ArgumentResult { Tokens.Count: > 0, Argument: var argument } result => Value(
                result.Parent is OptionResult { Option.Name: var owner } ? owner : argument.Name, argument.ValueType, argument.GetCompletions(CompletionContext.Empty).Select(c => c.Label), result.Tokens[^1].Value, error.Message),
            _ when command.Arguments.FirstOrDefault() is { } wanted && command.Arguments[0].Arity.MinimumNumberOfValues > 0 => $"{wanted.Name} is missing.",
            _ => OneLine(error.Message),
        };
    }

    private static string Unmatched(string word, Command command, string path)
    {
        var isOption = word.StartsWith('-');
        var known = isOption ? command.Options.Where(o => !o.Hidden).Select(o => o.Name) : command.Subcommands.Select(c => c.Name);
        var nearest = known.Select(name => (Name: name, Distance: Distance(word.Split('=')[0], name))).OrderBy(n => n.Distance).FirstOrDefault();
        var suggestion = nearest.Name is not null && nearest.Distance <= Math.Max(1, word.Length / LettersPerMistake) ? $" Did you mean {nearest.Name}?" : "";
        return isOption ? $"`{path}` has no option {word}.{suggestion}"
            : command.Subcommands.Count > 0 ? $"There is no command `{path} {word}`{(suggestion.Length > 0 ? "." + suggestion : $"; there are {Listed(command.Subcommands.Select(c => c.Name), "and")}.")}"
            : $"`{path}` does not know what to do with '{word}'; a text of several words stands in quotes.";
    }

    private static string Value(string name, Type type, IEnumerable<string> choices, string given, string message)
    {
        var kind = Nullable.GetUnderlyingType(type) ?? type;
        string[] words = [.. choices];
        if (kind == typeof(int) || kind == typeof(long)) return $"{name} takes a whole number, not '{given}'.";
        return words.Length > 0 ? $"{name} takes {Listed(words)}, not '{given}'." : OneLine(message);
    }

    private static string Listed(IEnumerable<string> words, string last = "or")
    {
        string[] all = [.. words];
        return all.Length < 2 ? string.Concat(all) : $"{string.Join(", ", all[..^1])} {last} {all[^1]}";
    }

    private static string OneLine(string text) => string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)).TrimEnd('.') + ".";

    private static IEnumerable<string> Path(CommandResult command)
    {
        var names = new Stack<string>();
        for (SymbolResult? at = command; at is not null; at = at.Parent)
        {
            if (at is CommandResult { Command: var named }) names.Push(named is RootCommand ? "editorbridge" : named.Name);
        }

        return names;
    }

    /// <summary>Letters to put in, take out, change or swap with the next (Damerau and Levenshtein, restricted).</summary>
    private static int Distance(string one, string other)
    {
        var rows = new int[one.Length + 1, other.Length + 1];
        for (var i = 0; i <= one.Length; i++) rows[i, 0] = i;
        for (var j = 0; j <= other.Length; j++) rows[0, j] = j;
        for (var i = 1; i <= one.Length; i++)
        {
            for (var j = 1; j <= other.Length; j++)
            {
                var change = rows[i - 1, j - 1] + (char.ToLowerInvariant(one[i - 1]) == char.ToLowerInvariant(other[j - 1]) ? 0 : 1);
                rows[i, j] = Math.Min(change, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1]) rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        }

        return rows[one.Length, other.Length];
    }
}
