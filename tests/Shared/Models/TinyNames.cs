using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using EditorBridge.Diffusion.Text;
using EditorBridge.Models.Checkpoints;
using EditorBridge.Models.Networks;
using EditorBridge.Models.Tests.Gguf;
using EditorBridge.Models.Tests.Pickles;
using static TorchSharp.torch;

namespace EditorBridge.Tests.Models;

/// <summary>How other layouts name and pack the tensors of the networks.</summary>
internal static partial class TinyNames
{
    /// <summary>The authors' name of a VAE's tensor.</summary>
    /// <param name="key">Diffusers' name.</param>
    /// <param name="nested">Whether it is of 2.2, whose blocks are nested in levels; those of 2.1 are counted through.</param>
    public static string OriginalVae(string key, bool nested)
    {
        var name = key;
        if (name.StartsWith("quant_conv.", StringComparison.Ordinal)) name = "conv1." + name["quant_conv.".Length..];
        else if (name.StartsWith("post_quant_conv.", StringComparison.Ordinal)) name = "conv2." + name["post_quant_conv.".Length..];
        name = name.Replace("coder.conv_in.", "coder.conv1.", StringComparison.Ordinal)
            .Replace("mid_block.resnets.0.", "middle.0.", StringComparison.Ordinal).Replace("mid_block.attentions.0.", "middle.1.", StringComparison.Ordinal)
            .Replace("mid_block.resnets.1.", "middle.2.", StringComparison.Ordinal).Replace("norm_out.", "head.0.", StringComparison.Ordinal).Replace("conv_out.", "head.2.", StringComparison.Ordinal);
        foreach (var (from, to) in ((string, string)[])[("norm1.", "residual.0."), ("conv1.", "residual.2."), ("norm2.", "residual.3."), ("conv2.", "residual.6."), ("conv_shortcut.", "shortcut.")])
            if (Inner().IsMatch(name)) name = name.Replace("." + from, "." + to, StringComparison.Ordinal);
        name = Upsampler().Replace(name, m => Level(m, 3));
        name = Nested().Replace(name, m => $"{m.Groups[1].Value}samples.{m.Groups[2].Value}.{m.Groups[1].Value}samples.{(m.Groups[1].Value == "up" ? 3 : 2)}.");
        name = Resnet().Replace(name, m => nested
            ? $"{m.Groups[1].Value}samples.{m.Groups[2].Value}.{m.Groups[1].Value}samples.{m.Groups[3].Value}."
            : Level(m, int.Parse(m.Groups[3].Value, CultureInfo.InvariantCulture)));
        name = Block().Replace(name, "downsamples.$1.");
        Assert.Equal(key, WanVideoVaeKeys.ToDiffusers(name));
        return name;
    }

    /// <summary>The authors' name of a text encoder's tensor.</summary>
    public static string OriginalText(string key) => Text(
        key, "token_embedding.weight", "norm.weight", "blocks.", ["norm1.", "norm2.", "pos_embedding.embedding.", "attn.", "ffn.gate.0.", "ffn.fc1.", "ffn.fc2."]);

    /// <summary>llama.cpp's name of a text encoder's tensor.</summary>
    public static string GgufText(string key) => Text(
        key, "token_embd.weight", "enc.output_norm.weight", "enc.blk.", ["attn_norm.", "ffn_norm.", "attn_rel_b.", "attn_", "ffn_gate.", "ffn_up.", "ffn_down."]);

    /// <summary>A file of torch.save with a storage a tensor.</summary>
    public static void Pickle(string path, IReadOnlyDictionary<string, Tensor> tensors)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var pickle = new PickleWriter().Op('}').Op('(');
        var members = new List<(string, byte[])>();
        foreach (var (name, tensor) in tensors)
        {
            var storage = members.Count.ToString(CultureInfo.InvariantCulture);
            var strides = new long[tensor.shape.Length];
            for (var (axis, step) = (strides.Length - 1, 1L); axis >= 0; step *= tensor.shape[axis--]) strides[axis] = step;
            pickle.Tensor(name, "FloatStorage", storage, tensor.numel(), 0, tensor.shape, strides);
            members.Add(("data/" + storage, Bytes(tensor)));
        }

        File.WriteAllBytes(path, PickleWriter.Archive(pickle.Op('u').Stop(), [.. members]));
    }

    /// <summary>A GGUF file; the patch embedding, which has more axes than the format knows, joined along the outer two.</summary>
    /// <param name="path">The file.</param>
    /// <param name="tensors">Its tensors by name.</param>
    /// <param name="architecture">What it says it is.</param>
    /// <param name="tokenizer">A tokenizer to pack in.</param>
    /// <param name="type">What matrices are stored as, where their rows are whole blocks; all else is float32, as quantised files have it.</param>
    public static void Gguf(string path, IReadOnlyDictionary<string, Tensor> tensors, string architecture, SentencePieceModel? tokenizer, TensorType type = TensorType.F32)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var writer = new GgufWriter().Value("general.architecture", architecture);
        if (tokenizer is not null)
        {
            var pieces = tokenizer.Pieces;
            float[] scores = [.. pieces.Select(piece => piece.Score)];
            writer = writer.Value("tokenizer.ggml.model", "t5").List("tokenizer.ggml.tokens", [.. pieces.Select(piece => piece.Text)])
                .Value("tokenizer.ggml.scores", 9, [.. BitConverter.GetBytes(6u), .. BitConverter.GetBytes((ulong)scores.Length), .. MemoryMarshal.AsBytes(scores.AsSpan())])
                .List("tokenizer.ggml.token_type", [.. pieces.Select(piece => (int)piece.Kind)])
                .Value("tokenizer.ggml.precompiled_charsmap", 9, [.. BitConverter.GetBytes(0u), .. BitConverter.GetBytes((ulong)tokenizer.CharacterMap.Length), .. tokenizer.CharacterMap])
                .Value("tokenizer.ggml.eos_token_id", 4, BitConverter.GetBytes((uint)tokenizer.EndId));
        }

        foreach (var (name, tensor) in tensors)
        {
            ulong[] shape = [.. tensor.shape.Select(size => (ulong)size)];
            if (shape.Length == 5) shape = [shape[0] * shape[1], .. shape[2..]];
            if (type.IsBlocked() && shape.Length == 2 && shape[1] % (ulong)type.BlockElements() == 0)
                writer = writer.Tensor(name, type == TensorType.Q8_0 ? 8u : 12u, shape, GgufBlocks.Pack(type, MemoryMarshal.Cast<byte, float>(Bytes(tensor))));
            else
                writer = writer.Tensor(name, 0, shape, Bytes(tensor));
        }

        File.WriteAllBytes(path, writer.Bytes());
    }

    private static byte[] Bytes(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().to(float32).contiguous().alias().bytes.ToArray();
    }

    private static string Text(string key, string table, string norm, string block, string[] parts)
    {
        if (key == "shared.weight") return table;
        if (key == "encoder.final_layer_norm.weight") return norm;
        var split = key.Split('.', 4); // encoder.block.N.layer.…
        var inner = split[3]["layer.".Length..];
        string[] own = ["0.layer_norm.", "1.layer_norm.", "0.SelfAttention.relative_attention_bias.", "0.SelfAttention.", "1.DenseReluDense.wi_0.", "1.DenseReluDense.wi_1.", "1.DenseReluDense.wo."];
        var at = Array.FindIndex(own, start => inner.StartsWith(start, StringComparison.Ordinal));
        return block + split[2] + "." + parts[at] + inner[own[at].Length..];
    }

    private static string Level(Match match, int place) => $"upsamples.{4 * int.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture) + place}.";

    [GeneratedRegex(@"(resnets|down_blocks|middle)\.\d+\.")]
    private static partial Regex Inner();

    [GeneratedRegex(@"(up)_blocks\.(\d+)\.upsamplers\.0\.")]
    private static partial Regex Upsampler();

    [GeneratedRegex(@"(down|up)_blocks\.(\d+)\.(?:down|up)sampler\.")]
    private static partial Regex Nested();

    [GeneratedRegex(@"(down|up)_blocks\.(\d+)\.resnets\.(\d+)\.")]
    private static partial Regex Resnet();

    [GeneratedRegex(@"down_blocks\.(\d+)\.")]
    private static partial Regex Block();
}
