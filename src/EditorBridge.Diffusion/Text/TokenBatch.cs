using static TorchSharp.torch;

namespace EditorBridge.Diffusion.Text;

/// <summary>Prompts of different length as one tensor.</summary>
public static class TokenBatch
{
    /// <summary>Pads every row at its end.</summary>
    /// <param name="prompts">Ids of each prompt, with their end pieces.</param>
    /// <param name="length">Length of a row; no prompt may be longer.</param>
    /// <param name="padId">What fills a row.</param>
    /// <returns>Ids, int64 [B, length], and a mask, bool [B, length], true where a prompt has a piece.</returns>
    public static (Tensor Ids, Tensor Mask) Of(IReadOnlyList<IReadOnlyList<int>> prompts, int length, int padId)
    {
        var ids = new long[prompts.Count, length];
        var mask = new bool[prompts.Count, length];
        for (var row = 0; row < prompts.Count; row++)
        {
            if (prompts[row].Count > length)
                throw new ArgumentException($"Prompt {row} has {prompts[row].Count} pieces; a row has {length}.", nameof(prompts));
            for (var column = 0; column < length; column++)
            {
                mask[row, column] = column < prompts[row].Count;
                ids[row, column] = mask[row, column] ? prompts[row][column] : padId;
            }
        }
        return (tensor(ids), tensor(mask));
    }
}
