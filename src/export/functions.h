static void @copy(const float *x, float *y, int n)
{
    for (int i = 0; i < n; i++)
        y[i] = x[i];
}

static void @constant(const float *row, float *y, int n)
{
    for (int i = 0; i < n; i++)
        y[i] = row[i];
}

static void @exponential(float *y, int n, float shift)
{
    for (int i = 0; i < n; i++)
        y[i] = expf(y[i] + shift);
}

static void @spread(const float *weight, const float *x, float *y, int n, int k, float least)
{
    for (int j = 0; j < k; j++) {
        float sum = least;
        for (int i = 0; i < n; i++)
            sum += x[i] * x[i] * weight[i * k + j];
        y[j] = sqrtf(sum);
    }
}

static void @normalise(const float *mean, const float *scale, float *x, int n, float clip)
{
    for (int i = 0; i < n; i++) {
        float y = (x[i] - mean[i]) * scale[i];
        x[i] = y < -clip ? -clip : y > clip ? clip : y;
    }
}

static void @scale(float *x, int n, float factor)
{
    for (int i = 0; i < n; i++)
        x[i] *= factor;
}

static void @linear(const float *weight, const float *bias, const float *x, float *y, int inputs, int outputs)
{
    for (int j = 0; j < outputs; j++) {
        float sum = 0.0f;
        for (int i = 0; i < inputs; i++)
            sum += weight[j * inputs + i] * x[i];
        y[j] = sum + bias[j];
    }
}

static void @layer_norm(float *x, int n, float eps)
{
    float mean = 0.0f, variance = 0.0f;
    for (int i = 0; i < n; i++)
        mean += x[i];
    mean /= (float)n;
    for (int i = 0; i < n; i++) {
        x[i] -= mean;
        variance += x[i] * x[i];
    }
    float factor = 1.0f / sqrtf(variance / (float)n + eps);
    for (int i = 0; i < n; i++)
        x[i] *= factor;
}

static void @affine(const float *gain, const float *bias, float *x, int n)
{
    for (int i = 0; i < n; i++)
        x[i] = x[i] * gain[i] + bias[i];
}

static float @sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}

static void @tanh_all(float *x, int n)
{
    for (int i = 0; i < n; i++)
        x[i] = tanhf(x[i]);
}

static void @relu_all(float *x, int n)
{
    for (int i = 0; i < n; i++)
        x[i] = x[i] > 0.0f ? x[i] : 0.0f;
}

static void @leak_all(float *x, int n)
{
    for (int i = 0; i < n; i++)
        x[i] = x[i] > 0.0f ? x[i] : 0.01f * x[i];
}

static void @silu_all(float *x, int n)
{
    for (int i = 0; i < n; i++)
        x[i] *= @sigmoid(x[i]);
}

static void @gelu_all(float *x, int n)
{
    for (int i = 0; i < n; i++)
        x[i] *= 0.5f * (1.0f + erff(x[i] * 0.70710678f));
}

static void @filters(const float *weight, const float *bias, const float *x, float *y, int height, int width, int channels, int side, int stride, int padding, int filters)
{
    int rows = (height + 2 * padding - side) / stride + 1, columns = (width + 2 * padding - side) / stride + 1;
    for (int place = 0; place < rows * columns; place++) {
        int top = place / columns * stride - padding, left = place % columns * stride - padding;
        for (int f = 0; f < filters; f++) {
            float sum = 0.0f;
            for (int r = 0; r < side; r++)
                for (int c = 0; c < side; c++) {
                    if (top + r < 0 || top + r >= height || left + c < 0 || left + c >= width)
                        continue;
                    const float *pixel = x + ((top + r) * width + left + c) * channels;
                    const float *own = weight + ((f * side + r) * side + c) * channels;
                    for (int i = 0; i < channels; i++)
                        sum += own[i] * pixel[i];
                }
            y[place * filters + f] = sum + bias[f];
        }
    }
}

static void @pool(const float *x, float *y, int height, int width, int channels, int side, int stride, int padding)
{
    int rows = (height + 2 * padding - side) / stride + 1, columns = (width + 2 * padding - side) / stride + 1;
    for (int place = 0; place < rows * columns; place++) {
        int top = place / columns * stride - padding, left = place % columns * stride - padding;
        for (int i = 0; i < channels; i++) {
            float most = -INFINITY;
            for (int r = 0; r < side; r++)
                for (int c = 0; c < side; c++) {
                    if (top + r < 0 || top + r >= height || left + c < 0 || left + c >= width)
                        continue;
                    float pixel = x[((top + r) * width + left + c) * channels + i];
                    most = pixel > most ? pixel : most;
                }
            y[place * channels + i] = most;
        }
    }
}

static void @add(const float *x, float *y, int n)
{
    for (int i = 0; i < n; i++)
        y[i] += x[i];
}

static void @gru(const float *x, const float *m, float *memory, int units)
{
    for (int i = 0; i < units; i++) {
        float reset = @sigmoid(x[i] + m[i]);
        float update = @sigmoid(x[units + i] + m[units + i]);
        float fresh = tanhf(x[2 * units + i] + reset * m[2 * units + i]);
        memory[i] = fresh + update * (memory[i] - fresh);
    }
}

static void @lstm(const float *x, const float *m, float *memory, int units)
{
    for (int i = 0; i < units; i++) {
        float input = @sigmoid(x[i] + m[i]);
        float forget = @sigmoid(x[units + i] + m[units + i]);
        float cell = tanhf(x[2 * units + i] + m[2 * units + i]);
        float output = @sigmoid(x[3 * units + i] + m[3 * units + i]);
        memory[units + i] = forget * memory[units + i] + input * cell;
        memory[i] = output * tanhf(memory[units + i]);
    }
}
