using CsCheck;
using EditorBridge.Protocol.V1;
using Google.Protobuf;

namespace EditorBridge.Protocol.Tests;

public class ChecksummedDataTests
{
    [Fact]
    public void The_checksum_is_that_of_rfc_3720()
    {
        Assert.Equal(0xE3069283, ChecksummedData.Crc32COf("123456789"u8));
        Assert.Equal(0x8A9136AAu, ChecksummedData.Crc32COf(new byte[32]));
        Assert.Equal(0x46DD794Eu, ChecksummedData.Crc32COf([.. Enumerable.Range(0, 32).Select(i => (byte)i)]));
        Assert.Equal(0u, ChecksummedData.Crc32COf([]));
    }

    [Fact]
    public void Any_flipped_bit_is_noticed() =>
        Gen.Select(Gen.Byte.Array[1, 300], Gen.Int[0, 299], Gen.Int[0, 7]).Sample((bytes, at, bit) =>
        {
            var data = ChecksummedData.Wrap(bytes);
            Assert.True(data.IsIntact);
            var changed = bytes.ToArray();
            changed[at % bytes.Length] ^= (byte)(1 << bit);
            Assert.False(new ChecksummedData { Content = ByteString.CopyFrom(changed), Crc32C = data.Crc32C }.IsIntact);
        });
}
