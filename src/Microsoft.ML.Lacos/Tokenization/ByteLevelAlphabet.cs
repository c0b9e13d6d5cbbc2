namespace Microsoft.ML.Lacos.Tokenization;

/// <summary>GPT-2's printable alphabet for bytes: the characters in which a byte-level vocabulary spells its tokens.</summary>
/// <remarks>Bytes that are printable in Latin-1 stand for themselves; the other 68 take the code points from U+0100 on, in order.</remarks>
internal static class ByteLevelAlphabet
{
    private const int Size = 256;
    private static readonly char[] Characters = CreateCharacters();
    private static readonly short[] Bytes = CreateBytes();

    /// <summary>The character that stands for a byte.</summary>
    public static char ToCharacter(byte value) => Characters[value];

    /// <summary>The byte a character stands for, or -1 where it stands for none.</summary>
    public static int ToByte(char character) => character < Bytes.Length ? Bytes[character] : -1;

    private static char[] CreateCharacters()
    {
        var characters = new char[Size];
        int next = Size;
        for (int value = 0; value < Size; value++)
        {
            bool printable = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or >= 0xAE;
            characters[value] = (char)(printable ? value : next++);
        }
        return characters;
    }

    private static short[] CreateBytes()
    {
        // The largest character is that of the last of the 68.
        var bytes = new short[Size + 68];
        for (int character = 0; character < bytes.Length; character++)
        {
            bytes[character] = -1;
        }
        for (int value = 0; value < Size; value++)
        {
            bytes[Characters[value]] = (short)value;
        }
        return bytes;
    }
}
